namespace Flywheel.Engine.Labeling;

/// <summary>A person's fix of an output, or its confirmation.</summary>
/// <param name="CorrectedOutput">What the node should have answered; the output as it is to confirm it.</param>
/// <param name="WentWrong">What was wrong; null if the output is confirmed.</param>
/// <param name="Author">Null for the caller.</param>
/// <param name="Id">Makes a repeat harmless; null for a new id.</param>
/// <param name="GivenAt">Null for now.</param>
public sealed record CorrectionRequest(
    string TraceId, string SpanId, string? CorrectedOutput, string? WentWrong = null, string? Reasoning = null, string? Author = null,
    Guid? Id = null, DateTimeOffset? GivenAt = null);
