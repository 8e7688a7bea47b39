namespace Flywheel.Engine.Review;

public sealed record EvidenceSpanView(string TraceId, string SpanId);
