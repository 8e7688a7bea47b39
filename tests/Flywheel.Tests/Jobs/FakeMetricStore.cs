using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Tests.Jobs;

/// <summary>The part of the metric store that a worker uses.</summary>
sealed class FakeMetricStore : IMetricStore
{
    /// <summary>Current versions.</summary>
    public List<Metric> Metrics { get; } = [];

    public int Deltas { get; set; }

    public Task<IReadOnlyList<Metric>> ListAsync(ProjectId project, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<Metric>>([.. Metrics.Where(metric => metric.Project == project)]);

    public Task<Metric?> GetVersionAsync(ProjectId project, MetricVersionId version, CancellationToken ct) =>
        Task.FromResult(Metrics.FirstOrDefault(metric => metric.Project == project && metric.VersionId == version));

    public Task<int> FoldAsync(int limit, CancellationToken ct)
    {
        var folded = Math.Min(limit, Deltas);
        Deltas -= folded;
        return Task.FromResult(folded);
    }

    public Task<Metric?> AddAsync(ProjectId project, NewMetric metric, bool expectNew, DateTimeOffset at, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<Metric?> FindAsync(ProjectId project, string name, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<Metric>> VersionsAsync(ProjectId project, string name, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<bool> SetStateAsync(
        ProjectId project, string name, MetricState state, string author, DateTimeOffset at, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<MetricCell>> CellsAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<MetricCell>> RecomputedCellsAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        throw new NotSupportedException();
}
