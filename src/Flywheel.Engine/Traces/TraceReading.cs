using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Traces;

/// <param name="Spans">By start.</param>
/// <param name="Metrics">Names of the project's metrics.</param>
/// <param name="Withheld">Names of metrics whose verdicts or labels are left out of some span.</param>
/// <param name="MoreSpans">Spans of the trace that are left out.</param>
public sealed record TraceReading(
    string TraceId, IReadOnlyList<SpanReading> Spans, IReadOnlyList<Feedback> Feedback, IReadOnlyDictionary<MetricId, string> Metrics,
    IReadOnlyCollection<string> Withheld, int MoreSpans);
