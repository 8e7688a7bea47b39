using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Judging;

internal sealed class AnchorStore(Database database) : IAnchorStore
{
    const string SetColumns =
        """
        frozen.id, frozen.project_id, frozen.metric_id,
            (SELECT count(*) FROM anchor WHERE anchor.project_id = frozen.project_id AND anchor.set_id = frozen.id AND passed = 1),
            (SELECT count(*) FROM anchor WHERE anchor.project_id = frozen.project_id AND anchor.set_id = frozen.id AND passed = 0),
            frozen.author, frozen.created_at, frozen.replayed_at, project.anchor_hours
        """;

    const string ReplayColumns =
        """
        replay.id, replay.project_id, replay.set_id, frozen.metric_id, replay.metric_version_id, replay.state,
            (SELECT count(*) FROM anchor_answer AS answer WHERE answer.project_id = replay.project_id AND answer.replay_id = replay.id),
            (SELECT count(*) FROM anchor WHERE anchor.project_id = replay.project_id AND anchor.set_id = replay.set_id),
            replay.baseline_id, replay.comparison, replay.alarmed, replay.cost_usd, replay.detail, replay.started_at, replay.ended_at, replay.visible_at,
            replay.worker, replay.attempts
        """;

    public Task<AnchorSet> FreezeAsync(Metric metric, IReadOnlyList<Anchor> cases, string author, DateTimeOffset at, CancellationToken ct)
    {
        if (cases.Count is < AnchorSet.Least or > AnchorSet.Most)
            throw new ArgumentOutOfRangeException(nameof(cases), cases.Count, $"must be {AnchorSet.Least} to {AnchorSet.Most}");
        return database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await CloseAsync(session, metric.Project, metric.Id, author, at, ct).ConfigureAwait(false);
                var id = await session.NumberAsync(
                    """
                    INSERT INTO anchor_set (project_id, metric_id, author, created_at)
                    SELECT project_id, id, @author, @at FROM metric WHERE project_id = @project AND id = @metric
                    RETURNING id
                    """,
                    ct, ("author", author), ("at", at), ("project", metric.Project.Value), ("metric", metric.Id.Value))
                        .ConfigureAwait(false)
                    ?? throw new KeyNotFoundException($"Project {metric.Project.Value} has no metric {metric.Id.Value}.");
                await session.ExecuteGivenAsync(
                    """
                    INSERT INTO anchor (project_id, set_id, span_id, passed)
                    SELECT given.project, given.set_id, given.span, given.passed FROM @given
                    """,
                    ct, new("project", cases.Select(_ => metric.Project.Value).ToArray()), new("set_id", cases.Select(_ => id).ToArray()),
                    new("span", cases.Select(each => each.Span.Value).ToArray()),
                    new("passed", cases.Select(each => each.Passed ? 1L : 0).ToArray()))
                    .ConfigureAwait(false);
                await AuditAsync(session, metric.Project, at, author, "anchors.freeze", id,
                    new { metric = metric.Name, cases = cases.Count }, ct).ConfigureAwait(false);
                return (await FindAsync(session, metric.Project, metric.Id, ct).ConfigureAwait(false))!;
            },
            ct);
    }

    public Task<AnchorSet?> FindAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        database.ReadAsync(session => FindAsync(session, project, metric, ct), ct);

    public Task<bool> CloseAsync(ProjectId project, MetricId metric, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(Urgency.Interactive, session => CloseAsync(session, project, metric, author, at, ct), ct);

    public async Task<bool> AskAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Interactive,
            session => session.ExecuteAsync(
                "UPDATE anchor_set SET replayed_at = NULL WHERE project_id = @project AND metric_id = @metric AND closed_at IS NULL",
                ct, ("project", project.Value), ("metric", metric.Value)),
            ct).ConfigureAwait(false) > 0;

    public async Task<IReadOnlyList<Anchor>> CasesAsync(ProjectId project, long set, CancellationToken ct) =>
        await database.QueryAsync(
            "SELECT span_id, passed FROM anchor WHERE project_id = @project AND set_id = @set ORDER BY span_id",
            row => new Anchor(new(row.GetInt64(0)), row.YesNo(1)), ct, ("project", project.Value), ("set", set)).ConfigureAwait(false);

    public Task<AnchorReplay?> ClaimAsync(string worker, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                var id = await session.NumberAsync(
                    """
                    UPDATE anchor_replay SET worker = @worker, visible_at = @until
                    WHERE state = 'running' AND visible_at <= @now AND id = (
                        SELECT id FROM anchor_replay WHERE state = 'running' AND visible_at <= @now ORDER BY visible_at, id LIMIT 1)
                    RETURNING id
                    """,
                    ct, ("worker", worker), ("until", until), ("now", now)).ConfigureAwait(false);
                id ??= await BeginAsync(session, worker, now, until, ct).ConfigureAwait(false);
                return id is null ? null : await session.FirstAsync(
                    $"""
                    SELECT {ReplayColumns}
                    FROM anchor_replay AS replay
                    JOIN anchor_set AS frozen ON frozen.id = replay.set_id AND frozen.project_id = replay.project_id
                    WHERE replay.id = @id
                    """,
                    ReadReplay, ct, ("id", id)).ConfigureAwait(false);
            },
            ct);

    static async Task<long?> BeginAsync(Session session, string worker, DateTimeOffset now, DateTimeOffset until, CancellationToken ct)
    {
        // The update is a lock: of two workers the second finds the set replayed.
        const string due =
            """
            closed_at IS NULL AND (replayed_at IS NULL OR replayed_at <= @now - 3600000000 * (
                SELECT CASE anchor_hours WHEN 0 THEN 1000000 ELSE anchor_hours END FROM project WHERE project.id = anchor_set.project_id))
                AND EXISTS (SELECT 1 FROM metric WHERE metric.id = anchor_set.metric_id AND metric.state = 'active')
                AND NOT EXISTS (
                    SELECT 1 FROM anchor_replay AS other
                    WHERE other.project_id = anchor_set.project_id AND other.set_id = anchor_set.id AND other.state = 'running')
            """;
        var set = await session.NumberAsync(
            $"""
            UPDATE anchor_set SET replayed_at = @now
            WHERE {due} AND id = (SELECT id FROM anchor_set WHERE {due} ORDER BY coalesce(replayed_at, 0), id LIMIT 1)
            RETURNING id
            """,
            ct, ("now", now)).ConfigureAwait(false);
        return set is null ? null : await session.NumberAsync(
            """
            INSERT INTO anchor_replay (project_id, set_id, metric_version_id, started_at, visible_at, worker)
            SELECT anchor_set.project_id, anchor_set.id, metric.current_version_id, @now, @until, @worker
            FROM anchor_set
            JOIN metric ON metric.id = anchor_set.metric_id
            WHERE anchor_set.id = @set
            RETURNING id
            """,
            ct, ("now", now), ("until", until), ("worker", worker), ("set", set)).ConfigureAwait(false);
    }

    public Task<bool> KeepAsync(
        AnchorReplay replay, string worker, AnchorAnswer answer, double costUsd, DateTimeOffset until, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                var mine = await session.ExecuteAsync(
                    """
                    UPDATE anchor_replay SET cost_usd = cost_usd + @cost, visible_at = @until, detail = NULL
                    WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                    """,
                    ct, ("cost", costUsd), ("until", until), ("project", replay.Project.Value), ("id", replay.Id), ("worker", worker))
                        .ConfigureAwait(false);
                if (mine == 0)
                    return false;
                // A case that was deleted meanwhile has no answer.
                await session.ExecuteAsync(
                    """
                    INSERT INTO anchor_answer (project_id, replay_id, span_id, outcome, validator_version)
                    SELECT project_id, @replay, span_id, @outcome, @version
                    FROM anchor
                    WHERE project_id = @project AND set_id = @set AND span_id = @span
                    ON CONFLICT (project_id, replay_id, span_id) DO NOTHING
                    """,
                    ct, ("replay", replay.Id), ("outcome", Wire.Name(answer.Outcome)), ("version", answer.ValidatorVersion),
                    ("project", replay.Project.Value), ("set", replay.Set), ("span", answer.Span.Value)).ConfigureAwait(false);
                return true;
            },
            ct);

    public async Task<IReadOnlyList<AnchorAnswer>> AnswersAsync(ProjectId project, long replay, CancellationToken ct) =>
        await database.QueryAsync(
            "SELECT span_id, outcome, validator_version FROM anchor_answer WHERE project_id = @project AND replay_id = @replay ORDER BY "
                + "span_id",
            row => new AnchorAnswer(new(row.GetInt64(0)), row.Word<Outcome>(1), row.GetString(2)), ct, ("project", project.Value),
            ("replay", replay))
            .ConfigureAwait(false);

    public async Task<bool> PauseAsync(
        AnchorReplay replay, string worker, string why, bool isFault, DateTimeOffset until, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                UPDATE anchor_replay
                SET worker = NULL, detail = @why, visible_at = @until, attempts = attempts + @fault
                WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                """,
                ct, ("why", why), ("until", until), ("fault", isFault ? 1 : 0), ("project", replay.Project.Value), ("id", replay.Id),
                ("worker", worker)),
            ct).ConfigureAwait(false) > 0;

    public async Task<bool> EndAsync(
        AnchorReplay replay, string worker, ReplayState state, long? baseline, AnchorComparison? comparison, bool alarmed, string? detail,
        DateTimeOffset at,
        CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                UPDATE anchor_replay
                SET state = @state, worker = NULL, baseline_id = @baseline, comparison = @comparison, alarmed = @alarmed, detail = @detail, ended_at = @at
                WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                """,
                ct, ("state", Wire.Name(state)), ("baseline", baseline),
                ("comparison", comparison is null ? null : ProposalJson.Write(comparison)),
                ("alarmed", alarmed), ("detail", detail), ("at", at), ("project", replay.Project.Value), ("id", replay.Id),
                ("worker", worker)),
            ct).ConfigureAwait(false) > 0;

    public async Task<IReadOnlyList<AnchorReplay>> ReplaysAsync(ProjectId project, long set, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {ReplayColumns}
            FROM anchor_replay AS replay
            JOIN anchor_set AS frozen ON frozen.id = replay.set_id AND frozen.project_id = replay.project_id
            WHERE replay.project_id = @project AND replay.set_id = @set
            ORDER BY replay.id DESC
            LIMIT @limit
            """,
            ReadReplay, ct, ("project", project.Value), ("set", set), ("limit", limit)).ConfigureAwait(false);

    static Task<AnchorSet?> FindAsync(Session session, ProjectId project, MetricId metric, CancellationToken ct) =>
        session.FirstAsync(
            $"""
            SELECT {SetColumns}
            FROM anchor_set AS frozen
            JOIN project ON project.id = frozen.project_id
            WHERE frozen.project_id = @project AND frozen.metric_id = @metric AND frozen.closed_at IS NULL
            """,
            row => new AnchorSet(
                row.GetInt64(0), new(row.GetInt64(1)), new(row.GetInt64(2)), row.GetInt32(3), row.GetInt32(4), row.GetString(5),
                row.Moment(6),
                row.MomentOrNull(7), row.GetInt32(8)),
            ct, ("project", project.Value), ("metric", metric.Value));

    async Task<bool> CloseAsync(Session session, ProjectId project, MetricId metric, string author, DateTimeOffset at, CancellationToken ct)
    {
        var id = await session.NumberAsync(
            """
            UPDATE anchor_set SET closed_at = @at, closed_by = @who
            WHERE project_id = @project AND metric_id = @metric AND closed_at IS NULL
            RETURNING id
            """,
            ct, ("at", at), ("who", author), ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
        if (id is not { } set)
            return false;
        await session.ExecuteAsync(
            """
            UPDATE anchor_replay SET state = 'failed', worker = NULL, detail = 'the anchors were given up', ended_at = @at
            WHERE project_id = @project AND set_id = @set AND state = 'running'
            """,
            ct, ("at", at), ("project", project.Value), ("set", set)).ConfigureAwait(false);
        await AuditAsync(session, project, at, author, "anchors.close", set, new { metric = metric.Value }, ct).ConfigureAwait(false);
        return true;
    }

    Task AuditAsync(Session session, ProjectId project, DateTimeOffset at, string who, string action, long id, object details,
        CancellationToken ct) =>
        AuditStore.AppendAsync(
            database, session, project, at, who, action, id.ToString(CultureInfo.InvariantCulture), JsonSerializer.Serialize(details), ct);

    static AnchorReplay ReadReplay(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), row.GetInt64(2), new(row.GetInt64(3)), new(row.GetInt64(4)), row.Word<ReplayState>(5),
        row.GetInt32(6),
        row.GetInt32(7), row.IsDBNull(8) ? null : row.GetInt64(8),
        row.IsDBNull(9) ? null : ProposalJson.Read<AnchorComparison>(row.GetString(9)), row.YesNo(10), row.GetDouble(11),
        row.TextOrNull(12), row.Moment(13),
        row.MomentOrNull(14), row.Moment(15), row.TextOrNull(16), row.GetInt32(17));
}
