using Flywheel.Core.Projects;

namespace Flywheel.Core.Metrics;

/// <summary>Finds the metric that a request names.</summary>
public static class MetricLookup
{
    /// <returns>The current version.</returns>
    /// <exception cref="RequestException">The project has no metric of this name: code <c>unknown_metric</c>.</exception>
    public static async Task<Metric> GetAsync(this IMetricStore metrics, ProjectId project, string name, CancellationToken ct) =>
        await metrics.FindAsync(project, name, ct) ?? throw Unknown(name);

    public static RequestException Unknown(string name) =>
        RequestException.NotFound("metric", $"There is no metric `{name}` in this project: GET /api/v1/metrics lists them.", "metric");
}
