using System.Globalization;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Judging;

namespace Flywheel.Storage.Jobs;

internal sealed class JobStore(Database database) : IJobStore
{
    public async Task<int> FanOutAsync(
        int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct)
    {
        // Small transactions, so that no acknowledgement waits behind a large one.
        var taken = 0;
        while (taken < limit)
        {
            var chunk = Math.Min(limit - taken, database.FanOutChunk);
            var now = await database.WriteAsync(
                Urgency.Background, session => FanOut.RunAsync(database, session, chunk, pair, at, ct), ct).ConfigureAwait(false);
            taken += now;
            if (now < chunk)
                break;
        }
        return taken;
    }

    public async Task<IReadOnlyList<Job>> ClaimAsync(
        JobLane lane, int limit, TimeSpan lease, string worker, DateTimeOffset now, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                var claimed = await session.QueryAsync(
                    database.ClaimJobs, JobRow.Read, ct,
                    ("until", now + lease), ("worker", worker), ("lane", Wire.Name(lane)), ("now", now), ("limit", limit))
                    .ConfigureAwait(false);
                claimed.Sort((one, other) => one.Id.CompareTo(other.Id));
                return claimed;
            },
            ct).ConfigureAwait(false);

    public Task ExtendAsync(IReadOnlyList<Job> jobs, TimeSpan lease, DateTimeOffset now, CancellationToken ct) =>
        jobs.Count == 0
            ? Task.CompletedTask
            : database.WriteAsync(
                Urgency.Background,
                session => session.ExecuteGivenAsync(
                    """
                    UPDATE job
                    SET visible_at = given.until
                    FROM @given
                    WHERE job.id = given.job AND job.fence = given.held AND job.worker IS NOT NULL
                    """,
                    ct,
                    new("job", jobs.Select(job => job.Id).ToArray()),
                    new("held", jobs.Select(job => job.Fence).ToArray()),
                    new("until", jobs.Select(_ => Timestamps.Micros(now + lease)).ToArray())),
                ct);

    public Task<IReadOnlyList<bool>> EndAsync(IReadOnlyList<JobEnd> ends, DateTimeOffset now, CancellationToken ct) =>
        ends.Count == 0
            ? Task.FromResult<IReadOnlyList<bool>>([])
            : database.WriteAsync(Urgency.Background, session => JobEnds.RecordAsync(database, session, ends, now, ct), ct);

    public Task<int> EnqueueAsync(
        ProjectId project, MetricVersionId metric, JobLane lane, IReadOnlyList<SpanId> spans, DateTimeOffset now, CancellationToken ct) =>
        spans.Count == 0
            ? Task.FromResult(0)
            : database.WriteAsync(
                Urgency.Background,
                session => session.ExecuteAsync(
                    """
                    INSERT INTO job (project_id, span_id, metric_version_id, revision, lane, visible_at)
                    SELECT span.project_id, span.id, version.id, span.revision, @lane, @now
                    FROM span
                    JOIN metric ON metric.project_id = span.project_id
                    JOIN metric_version AS version ON version.metric_id = metric.id
                    WHERE span.project_id = @project AND span.id IN (@spans) AND version.id = @version
                    ON CONFLICT (span_id, metric_version_id, revision, project_id) DO UPDATE
                    SET state = 'ready', attempts = 0, fence = job.fence + 1, visible_at = excluded.visible_at, worker = NULL,
                        lane = excluded.lane
                    WHERE job.state = 'dead'
                    """,
                    ct,
                    ("lane", Wire.Name(lane)), ("now", now), ("project", project.Value),
                    ("spans", spans.Select(span => span.Value).Distinct().ToArray()), ("version", metric.Value)),
                ct);

    public async Task<Page<Job>> ListAsync(ProjectId project, JobState? state, string? cursor, int limit, CancellationToken ct)
    {
        var after = cursor is null ? 0
            : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id
            : throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));
        var jobs = await database.QueryAsync(
            $"""
            SELECT {JobRow.Columns}
            FROM job
            WHERE project_id = @project AND id > @after AND (CAST(@state AS TEXT) IS NULL OR state = @state)
            ORDER BY id
            LIMIT @limit
            """,
            JobRow.Read, ct,
            ("project", project.Value), ("after", after), ("state", state is { } word ? Wire.Name(word) : null), ("limit", limit + 1))
            .ConfigureAwait(false);
        if (jobs.Count <= limit)
            return new(jobs, null);
        jobs.RemoveAt(limit);
        return new(jobs, jobs[^1].Id.ToString(CultureInfo.InvariantCulture));
    }

    public Task<int> RetryAsync(ProjectId project, IReadOnlyList<long>? ids, DateTimeOffset now, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            session => ids is null
                ? session.ExecuteAsync(
                    """
                    UPDATE job
                    SET state = 'ready', attempts = 0, fence = fence + 1, visible_at = @now, worker = NULL
                    WHERE project_id = @project AND state = 'dead'
                    """,
                    ct, ("now", now), ("project", project.Value))
                : session.ExecuteAsync(
                    """
                    UPDATE job
                    SET state = 'ready', attempts = 0, fence = fence + 1, visible_at = @now, worker = NULL
                    WHERE project_id = @project AND state = 'dead' AND id IN (@ids)
                    """,
                    ct, ("now", now), ("project", project.Value), ("ids", ids.ToArray())),
            ct);

    public Task<JobCounts> CountsAsync(DateTimeOffset now, CancellationToken ct) =>
        database.ReadAsync(
            async session =>
            {
                var (waiting, leased, dead, oldestJob) = (await session.QueryAsync(
                    """
                    SELECT
                        count(CASE WHEN state = 'ready' AND (worker IS NULL OR visible_at <= @now) THEN 1 END),
                        count(CASE WHEN state = 'ready' AND worker IS NOT NULL AND visible_at > @now THEN 1 END),
                        count(CASE WHEN state = 'dead' THEN 1 END),
                        min(CASE WHEN state = 'ready' AND (worker IS NULL OR visible_at <= @now) THEN visible_at END)
                    FROM job
                    """,
                    row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.MomentOrNull(3)), ct, ("now", now))
                    .ConfigureAwait(false))[0];
                var (pending, oldestSpan) = (await session.QueryAsync(
                    database.CountPending, row => (row.GetInt64(0), row.MomentOrNull(1)), ct).ConfigureAwait(false))[0];
                var oldest = oldestJob is null || oldestSpan < oldestJob ? oldestSpan ?? oldestJob : oldestJob;
                return new JobCounts(waiting, leased, dead, pending, oldest);
            },
            ct);

    public Task<string?> ReserveJudgeCallAsync(ProjectId project, double expectedUsd, DateTimeOffset now, CancellationToken ct)
    {
        if (!(double.IsFinite(expectedUsd) && expectedUsd >= 0))
            throw new ArgumentOutOfRangeException(nameof(expectedUsd), expectedUsd, "must be finite and not negative");
        return database.WriteAsync(Urgency.Background, session => Budgets.ReserveAsync(session, project, expectedUsd, now, ct), ct);
    }

    public Task SettleJudgeCallAsync(
        ProjectId project, double expectedUsd, double actualUsd, DateTimeOffset reservedAt, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                await Budgets.SettleAsync(session, project, null, actualUsd - expectedUsd, reservedAt, ct).ConfigureAwait(false);
                return true;
            },
            ct);
}
