namespace Flywheel.Engine.Labeling;

/// <summary>What an agent would answer for one metric on one span.</summary>
/// <param name="Critique">Why, in a sentence or two that point at the text.</param>
/// <param name="Confidence">In [0, 1]; null if the agent says none.</param>
public sealed record ProposedLabelRequest(
    string TraceId, string SpanId, string Metric, bool Passed, string Critique, double? Confidence = null);
