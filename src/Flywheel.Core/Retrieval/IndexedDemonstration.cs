namespace Flywheel.Core.Retrieval;

/// <summary>An approved demonstration as the index takes it: the text it is found by and what ranks it.</summary>
/// <param name="Text">The input that the demonstration answers; it is what a query is compared with.</param>
/// <param name="Answer">The label or corrected output; for a judge's demonstration "pass" or "fail".</param>
/// <param name="IsFixed">True when a person's correction changed the output; false for a trace confirmed as good.</param>
/// <param name="ApprovedAt">Recency counts from here, never from arrival; before it the row is not eligible.</param>
/// <param name="Disagreement">
/// How far the person's answer lay from what the model said without this demonstration, in [0, 1]; 0 when unknown.
/// </param>
/// <param name="EndUser">Whose input it was; null when unknown, and then no per-user limit applies.</param>
/// <param name="Vector">Document vector of <see cref="Text"/>, of length 1 or 0; copied in compressed form, never kept.</param>
public sealed record IndexedDemonstration(
    Guid Id, string Text, string Answer, bool IsFixed, DateTimeOffset ApprovedAt, double Disagreement, string? EndUser,
    float[] Vector);
