namespace Flywheel.Engine.Labeling;

/// <summary>A person's pass or fail for one metric on one span, as it is asked for.</summary>
/// <param name="Mode"><c>blind</c>, <c>accepted</c> or <c>edited</c>; null: as the queue served the item, blind if it did not.</param>
/// <param name="Author">Null for the caller.</param>
/// <param name="Propensity">Probability in (0, 1] with which the item was drawn; null for items picked by hand.</param>
/// <param name="Adjudicates">Decides between people who differ about the item.</param>
/// <param name="Id">Makes a repeat harmless; null for a new id.</param>
/// <param name="GivenAt">Null for now.</param>
public sealed record LabelRequest(
    string TraceId, string SpanId, string Metric, bool Passed, string? Mode = null, string? Critique = null, string? Author = null,
    double? Propensity = null, bool Adjudicates = false, Guid? Id = null, DateTimeOffset? GivenAt = null);
