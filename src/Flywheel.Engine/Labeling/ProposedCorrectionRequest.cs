namespace Flywheel.Engine.Labeling;

/// <summary>What an agent says a node should have answered.</summary>
/// <param name="CorrectedOutput">In full.</param>
/// <param name="Reason">What was wrong with the output, and why this one is right.</param>
public sealed record ProposedCorrectionRequest(string TraceId, string SpanId, string CorrectedOutput, string Reason);
