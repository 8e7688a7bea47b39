using Flywheel.Core.Projects;

namespace Flywheel.Core.Metrics;

public interface IMetricStore
{
    /// <summary>Rises with every change made through this store, so that what was read from it can be kept until then.</summary>
    long Revision => 0;

    /// <summary>Stores a new metric, or a new version of the metric that has this name.</summary>
    /// <param name="expectNew">True refuses a name that is taken (null is returned).</param>
    Task<Metric?> AddAsync(ProjectId project, NewMetric metric, bool expectNew, DateTimeOffset at, CancellationToken ct);

    /// <summary>The current version.</summary>
    Task<Metric?> FindAsync(ProjectId project, string name, CancellationToken ct);

    Task<Metric?> GetVersionAsync(ProjectId project, MetricVersionId version, CancellationToken ct);

    /// <summary>Current versions by name; all states.</summary>
    Task<IReadOnlyList<Metric>> ListAsync(ProjectId project, CancellationToken ct);

    Task<IReadOnlyList<Metric>> VersionsAsync(ProjectId project, string name, CancellationToken ct);

    /// <summary>Changes the state and records who did it.</summary>
    Task<bool> SetStateAsync(ProjectId project, string name, MetricState state, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>The counts of a metric, all versions: folded counts plus the deltas not folded yet. Always exact.</summary>
    Task<IReadOnlyList<MetricCell>> CellsAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>The same recomputed from verdicts and labels: the truth that <see cref="CellsAsync"/> must equal.</summary>
    Task<IReadOnlyList<MetricCell>> RecomputedCellsAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Folds up to <paramref name="limit"/> deltas into the counts.</summary>
    /// <returns>How many were folded.</returns>
    Task<int> FoldAsync(int limit, CancellationToken ct);
}
