namespace Flywheel.Core.Metrics;

/// <summary>What a metric's verdicts and blind labels say, per validator version: rates of different validators are never mixed.</summary>
/// <remarks><see cref="VersionSummary.Rates"/> is the estimate for all traffic (docs/uncertainty.md).</remarks>
/// <param name="BlindLabels">Of the version that has most.</param>
/// <param name="Versions">Newest metric version first.</param>
public sealed record MetricSummary(Metric Metric, long BlindLabels, IReadOnlyList<VersionSummary> Versions)
{
    /// <exception cref="RequestException">The slicing makes too many slices.</exception>
    public static MetricSummary Of(Metric metric, IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells, SummarySlicing slicing)
    {
        var numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);
        var summaries = cells
            .Where(slicing.Holds)
            .GroupBy(cell => (cell.MetricVersion, cell.ValidatorVersion))
            .OrderByDescending(group => numbers.GetValueOrDefault(group.Key.MetricVersion))
            .ThenBy(group => group.Key.ValidatorVersion, StringComparer.Ordinal)
            .Select(group => VersionSummary.Of(
                numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, [.. group], slicing))
            .ToArray();
        return new MetricSummary(metric, summaries.Select(summary => summary.BlindLabels).DefaultIfEmpty().Max(), summaries);
    }
}
