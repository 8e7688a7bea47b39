using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Metric">As POST /api/v1/metrics takes it.</param>
/// <param name="Last">Newest spans to look at, 1 to 2,000.</param>
/// <param name="Nodes">Names of nodes whose spans are looked at; left out means those of the metric, else all.</param>
/// <param name="AskModels">Model calls that this preview may make, 0 to 50; 0 only estimates their cost.</param>
public sealed record PreviewBody(MetricBody Metric, int Last = 200, IReadOnlyList<string>? Nodes = null, int AskModels = 0);

public sealed record PreviewExampleView(
    string TraceId, string SpanId, string Node, string? Text, string Outcome, double? Score, string? Reason);

/// <param name="PassRate">Passes of passes and fails among the spans looked at.</param>
/// <param name="Calls">Spans for which a model would be asked.</param>
/// <param name="EstimatedUsd">What those calls should cost at most.</param>
public sealed record PreviewView(
    string Name, string Criterion, int Spans, IReadOnlyDictionary<string, int> Outcomes, Interval PassRate,
    IReadOnlyDictionary<string, int> SkippedBecause, int Calls, double EstimatedUsd, double? EstimatedUsdPer1000Spans, double SpentUsd,
    double MillisecondsASpan, IReadOnlyList<PreviewExampleView> Examples)
{
    public static PreviewView Of(PreviewResult result) => new(
        result.Metric.Name, result.Metric.Criterion, result.Spans,
        result.Outcomes.ToDictionary(each => Wire.Name(each.Key), each => each.Value),
        Interval.Share(result.Outcomes[Outcome.Pass], result.Outcomes[Outcome.Pass] + result.Outcomes[Outcome.Fail]), result.SkippedBecause,
        result.Calls, result.EstimatedUsd, result.Spans == 0 ? null : 1000 * result.EstimatedUsd / result.Spans, result.SpentUsd,
        Math.Round(result.MillisecondsASpan, 4),
        [.. result.Examples.Select(each => new PreviewExampleView(
            each.Span.Trace, each.Span.Span, each.Node, each.Text, Wire.Name(each.Outcome), each.Score, each.Reason))]);
}
