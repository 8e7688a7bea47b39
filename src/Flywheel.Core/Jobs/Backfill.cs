using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Core.Jobs;

/// <summary>A metric version on its way through past spans, from the newest at its start to older ones.</summary>
/// <param name="Since">Spans that started earlier are left out; null for none.</param>
/// <param name="Wanted">Ends after so many pairs; null for no end.</param>
/// <param name="Total">Spans that there were at its start.</param>
/// <param name="Looked">Of them, how many have been looked at.</param>
/// <param name="Queued">Pairs that became jobs.</param>
/// <param name="Skipped">Pairs that ended at once, because the metric is not about the span.</param>
/// <param name="FinishedAt">Null while it is under way. Its jobs may still wait.</param>
public sealed record Backfill(
    ProjectId Project, MetricVersionId MetricVersion, DateTimeOffset? Since, long? Wanted, long Total, long Looked, long Queued,
    long Skipped,
    string Author, DateTimeOffset CreatedAt, DateTimeOffset? FinishedAt);

public interface IBackfillStore
{
    /// <summary>Begins a back-fill, or returns the one that is under way or was done within the same bounds.</summary>
    /// <remarks>Other bounds walk over the past again; pairs that have an outcome or a job are never queued twice.</remarks>
    Task<Backfill> BeginAsync(
        ProjectId project, MetricVersionId metric, DateTimeOffset? since, long? wanted, string author, DateTimeOffset at,
        CancellationToken ct);

    Task<Backfill?> FindAsync(ProjectId project, MetricVersionId metric, CancellationToken ct);

    /// <summary>Takes the oldest back-fill under way over its next spans, at most <paramref name="limit"/>, in one transaction.</summary>
    /// <param name="pair">What becomes of a span and the metric, as at fan-out.</param>
    /// <returns>How many spans were looked at; 0 when none is under way.</returns>
    Task<int> AdvanceAsync(
        int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct);

    /// <summary>Jobs of this metric version that still wait.</summary>
    Task<long> WaitingAsync(ProjectId project, MetricVersionId metric, CancellationToken ct);

    /// <summary>Whether at least so many jobs are ready, of any metric: then back-fills hold back.</summary>
    Task<bool> IsBusyAsync(int jobs, CancellationToken ct);
}
