using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Jobs;

/// <summary>Which workers take a job: slow model calls never stand before quick code.</summary>
public enum JobLane
{
    Code,
    Judge,
}

public enum JobState
{
    /// <summary>Waiting or leased.</summary>
    Ready,

    /// <summary>Given up after the last attempt; its verdict says <c>error</c>, and a person may retry it.</summary>
    Dead,
}

/// <summary>One pair (span, metric version) that still needs its outcome.</summary>
/// <param name="Fence">Rises with every lease: only the newest holder may record an outcome.</param>
/// <param name="VisibleAt">When it may be claimed: later than now while leased or backing off.</param>
/// <param name="Reason">Why the last attempt failed; null before any.</param>
public sealed record Job(
    long Id, ProjectId Project, SpanId Span, MetricVersionId MetricVersion, JobLane Lane, JobState State, int Attempts, long Fence,
    DateTimeOffset VisibleAt, string? Reason)
{
    /// <summary>Of the span's text: rises when the text changes after it was paired with metrics.</summary>
    public int Revision { get; init; } = 1;
}

/// <summary>How one leased job ended.</summary>
public abstract record JobEnd(Job Job)
{
    /// <summary>The outcome is recorded and the job gone, if the lease still holds.</summary>
    public sealed record Done(Job Job, Verdict Verdict) : JobEnd(Job);

    /// <summary>Try again later.</summary>
    public sealed record Retry(Job Job, DateTimeOffset VisibleAt, string Reason) : JobEnd(Job);

    /// <summary>Give up: the job stays as a dead letter, the verdict (an error) is recorded.</summary>
    public sealed record Dead(Job Job, Verdict Verdict) : JobEnd(Job);
}

/// <summary>A span that waits to be paired with the active metrics.</summary>
public sealed record PendingSpan(ProjectId Project, SpanId Id, SpanKey Key, string Node, NodeKind Kind, DateTimeOffset StartedAt)
{
    /// <summary>Of its text; see <see cref="Job.Revision"/>.</summary>
    public int Revision { get; init; } = 1;

    /// <summary>Its segments; read only when a metric asks for them, and empty otherwise.</summary>
    public IReadOnlyList<string> Segments { get; init; } = [];
}

/// <summary>What becomes of one pair at fan-out: a job, or an outcome at once when there is nothing to run.</summary>
/// <param name="Skipped">Null queues a job; otherwise the reason why the metric does not run on this span.</param>
public sealed record Pairing(Metric Metric, JobLane Lane, string ValidatorVersion, string? Skipped);

public sealed record JobCounts(long Waiting, long Leased, long Dead, long PendingSpans, DateTimeOffset? OldestWaiting);

public interface IJobStore
{
    /// <summary>
    /// Takes up to <paramref name="limit"/> spans that wait, asks <paramref name="pair"/> which metrics they meet,
    /// and records a job or a skipped verdict for each pair, all in one transaction.
    /// </summary>
    /// <returns>How many spans were taken.</returns>
    Task<int> FanOutAsync(
        int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct);

    /// <summary>Leases up to <paramref name="limit"/> jobs of a lane that may run now.</summary>
    Task<IReadOnlyList<Job>> ClaimAsync(JobLane lane, int limit, TimeSpan lease, string worker, DateTimeOffset now, CancellationToken ct);

    /// <summary>Prolongs leases that still hold.</summary>
    Task ExtendAsync(IReadOnlyList<Job> jobs, TimeSpan lease, DateTimeOffset now, CancellationToken ct);

    /// <summary>Records the ends of leased jobs in one transaction; an end whose lease was lost changes nothing.</summary>
    /// <returns>True a job whose end was recorded, in the order given.</returns>
    Task<IReadOnlyList<bool>> EndAsync(IReadOnlyList<JobEnd> ends, DateTimeOffset now, CancellationToken ct);

    /// <summary>Queues an existing span for one metric again: back-fill.</summary>
    Task<int> EnqueueAsync(
        ProjectId project, MetricVersionId metric, JobLane lane, IReadOnlyList<SpanId> spans, DateTimeOffset now, CancellationToken ct);

    Task<Page<Job>> ListAsync(ProjectId project, JobState? state, string? cursor, int limit, CancellationToken ct);

    /// <summary>Makes dead letters ready again with fresh attempts.</summary>
    /// <param name="ids">Null means all dead letters of the project.</param>
    Task<int> RetryAsync(ProjectId project, IReadOnlyList<long>? ids, DateTimeOffset now, CancellationToken ct);

    Task<JobCounts> CountsAsync(DateTimeOffset now, CancellationToken ct);

    /// <summary>Reserves judge calls against the project's budget of the UTC day.</summary>
    /// <returns>Null when granted; otherwise the exhausted limit in words.</returns>
    Task<string?> ReserveJudgeCallAsync(ProjectId project, double expectedUsd, DateTimeOffset now, CancellationToken ct);

    /// <summary>Replaces a reservation's expected cost by the real one.</summary>
    Task SettleJudgeCallAsync(ProjectId project, double expectedUsd, double actualUsd, DateTimeOffset reservedAt, CancellationToken ct);
}
