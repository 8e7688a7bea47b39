using System.Data.Common;
using System.Globalization;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Jobs;

internal sealed class BackfillStore(Database database) : IBackfillStore
{
    const string Columns =
        "project_id, metric_version_id, since, wanted, total, looked, queued, skipped, author, created_at, finished_at, below";

    public Task<Backfill> BeginAsync(
        ProjectId project, MetricVersionId metric, DateTimeOffset? since, long? wanted, string author, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var (newest, total) = (await session.QueryAsync(
                    "SELECT coalesce(max(id), 0), count(*) FROM span WHERE project_id = @project", row =>
                        (row.GetInt64(0), row.GetInt64(1)), ct,
                    ("project", project.Value)).ConfigureAwait(false))[0];
                // The same bounds again change nothing; other bounds begin anew, over the pairs that have no outcome yet.
                var begun = await session.NumberAsync(
                    """
                    INSERT INTO backfill (project_id, metric_version_id, since, wanted, below, total, author, created_at)
                    VALUES (@project, @metric, @since, @wanted, @below, @total, @author, @at)
                    ON CONFLICT (project_id, metric_version_id) DO UPDATE
                    SET since = excluded.since, wanted = excluded.wanted, below = excluded.below, total = excluded.total, looked = 0, queued = 0,
                        skipped = 0, author = excluded.author, created_at = excluded.created_at, finished_at = NULL
                    WHERE coalesce(backfill.since, -1) <> coalesce(excluded.since, -1)
                        OR coalesce(backfill.wanted, -1) <> coalesce(excluded.wanted, -1)
                    RETURNING total
                    """,
                    ct, ("project", project.Value), ("metric", metric.Value), ("since", since), ("wanted", wanted), ("below", newest + 1),
                    ("total", total), ("author", author), ("at", at)).ConfigureAwait(false);
                if (begun is not null)
                    await AuditStore.AppendAsync(
                        database, session, project, at, author, "metric.backfill", metric.Value.ToString(CultureInfo.InvariantCulture),
                        "{}", ct)
                        .ConfigureAwait(false);
                return (await FindAsync(session, project, metric, ct).ConfigureAwait(false))!.About;
            },
            ct);

    public async Task<Backfill?> FindAsync(ProjectId project, MetricVersionId metric, CancellationToken ct) =>
        (await database.ReadAsync(session => FindAsync(session, project, metric, ct), ct).ConfigureAwait(false))?.About;

    public Task<int> AdvanceAsync(
        int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(Urgency.Background, session => AdvanceAsync(session, limit, pair, at, ct), ct);

    public async Task<long> WaitingAsync(ProjectId project, MetricVersionId metric, CancellationToken ct) =>
        await database.NumberAsync(
            "SELECT count(*) FROM job WHERE project_id = @project AND metric_version_id = @metric AND state = 'ready'", ct,
            ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false) ?? 0;

    public async Task<bool> IsBusyAsync(int jobs, CancellationToken ct) =>
        await database.NumberAsync(
            "SELECT count(*) FROM (SELECT 1 FROM job WHERE state = 'ready' LIMIT @jobs) AS waiting", ct, ("jobs", jobs))
                .ConfigureAwait(false) >= jobs;

    static async Task<int> AdvanceAsync(
        Session session, int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at,
        CancellationToken ct)
    {
        // The update is a lock: of two workers, the second waits and finds the row moved on, or done.
        var next = await session.FirstAsync(
            $"""
            UPDATE backfill SET looked = looked
            WHERE (project_id, metric_version_id) IN (
                SELECT project_id, metric_version_id FROM backfill WHERE finished_at IS NULL ORDER BY created_at, metric_version_id LIMIT 1)
                AND finished_at IS NULL
            RETURNING {Columns}
            """,
            Read, ct).ConfigureAwait(false);
        if (next is null)
            return 0;
        var about = next.About;
        var spans = await session.QueryAsync(
            """
            SELECT project_id, id, trace_id, span_id, node, kind, started_at, revision,
                EXISTS (
                    SELECT 1 FROM verdict
                    WHERE verdict.project_id = span.project_id AND verdict.span_id = span.id AND verdict.metric_version_id = @metric)
                OR EXISTS (
                    SELECT 1 FROM job
                    WHERE job.project_id = span.project_id AND job.span_id = span.id AND job.metric_version_id = @metric)
            FROM span
            WHERE project_id = @project AND id < @below
            ORDER BY id DESC
            LIMIT @limit
            """,
            row => (Span: JobRow.ReadPending(row), IsKnown: row.GetValue(8) is true or 1L), ct,
            ("project", about.Project.Value), ("metric", about.MetricVersion.Value), ("below", next.Below), ("limit", limit))
                .ConfigureAwait(false);

        var left = about.Wanted - about.Queued - about.Skipped ?? long.MaxValue;
        var fresh = spans
            .Where(each => !each.IsKnown && (about.Since is null || each.Span.StartedAt >= about.Since))
            .Select(each => each.Span)
            .Take((int)Math.Min(left, limit))
            .ToArray();
        var metric = await session.FirstAsync(
            $"""
            SELECT {MetricRow.Columns}
            FROM metric
            JOIN metric_version AS version ON version.metric_id = metric.id
            WHERE metric.project_id = @project AND version.id = @metric
            """,
            MetricRow.Read, ct, ("project", about.Project.Value), ("metric", about.MetricVersion.Value)).ConfigureAwait(false);
        var (queued, skipped) = metric is null
            ? (0, 0)
            : await FanOut.RecordAsync(session, fresh, [metric], pair, at, ct).ConfigureAwait(false);
        var isDone = metric is null || spans.Count < limit || queued + skipped >= left;
        await session.ExecuteAsync(
            """
            UPDATE backfill
            SET below = @below, looked = looked + @looked, queued = queued + @queued, skipped = skipped + @skipped, finished_at = @finished
            WHERE project_id = @project AND metric_version_id = @metric
            """,
            ct, ("below", spans.Count == 0 ? next.Below : spans[^1].Span.Id.Value), ("looked", spans.Count), ("queued", queued),
            ("skipped", skipped),
            ("finished", isDone ? at : null), ("project", about.Project.Value), ("metric", about.MetricVersion.Value))
                .ConfigureAwait(false);
        return Math.Max(1, spans.Count);
    }

    static Task<Progress?> FindAsync(Session session, ProjectId project, MetricVersionId metric, CancellationToken ct) =>
        session.FirstAsync(
        $"SELECT {Columns} FROM backfill WHERE project_id = @project AND metric_version_id = @metric", Read, ct,
        ("project", project.Value), ("metric", metric.Value));

    static Progress Read(DbDataReader row) => new(
        new(
            new(row.GetInt64(0)), new(row.GetInt64(1)), row.MomentOrNull(2), row.IsDBNull(3) ? null : row.GetInt64(3), row.GetInt64(4),
            row.GetInt64(5), row.GetInt64(6), row.GetInt64(7), row.GetString(8), row.Moment(9), row.MomentOrNull(10)),
        row.GetInt64(11));

    sealed record Progress(Backfill About, long Below);
}
