using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Evaluation;

/// <summary>A verdict on its way to another system.</summary>
/// <param name="ResponseId">Of the judged span; null when it has none.</param>
public sealed record OutgoingVerdict(long Id, Verdict Verdict, string Metric, int MetricNumber, SpanKey Key, string? ResponseId);
