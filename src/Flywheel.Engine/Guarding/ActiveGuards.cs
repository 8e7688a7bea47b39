using System.Collections.Concurrent;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Guarding;

/// <summary>A project's active guards, read anew after every change made in this process and at least once a second.</summary>
/// <remarks>The second is for changes made by other processes and by plain SQL.</remarks>
public sealed class ActiveGuards(IMetricStore metrics, TimeProvider clock)
{
    static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1);

    readonly ConcurrentDictionary<ProjectId, Kept> _kept = new();

    public async ValueTask<IReadOnlyList<Metric>> OfAsync(ProjectId project, CancellationToken ct)
    {
        var revision = metrics.Revision;
        if (_kept.TryGetValue(project, out var kept) && kept.Revision == revision && clock.GetElapsedTime(kept.ReadAt) < MaxAge)
            return kept.Guards;

        var readAt = clock.GetTimestamp();
        var all = await metrics.ListAsync(project, ct);
        Metric[] guards = [.. all.Where(metric => metric is { State: MetricState.Active, Role: MetricRole.Guard })
            .OrderBy(metric => metric.Id.Value)];
        _kept[project] = new(guards, revision, readAt);
        return guards;
    }

    sealed record Kept(IReadOnlyList<Metric> Guards, long Revision, long ReadAt);
}
