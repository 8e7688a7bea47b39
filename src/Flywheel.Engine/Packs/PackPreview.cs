using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Packs;

/// <summary>What the metrics of a pack would have said of the newest spans.</summary>
/// <param name="NotPreviewed">Metrics that need settings, with what they need.</param>
public sealed record PackPreview(
    MetricPack Pack, int Spans, IReadOnlyList<PreviewResult> Metrics, IReadOnlyList<ActivatedMetric> NotPreviewed)
{
    public double EstimatedUsd => Metrics.Sum(each => each.EstimatedUsd);
}
