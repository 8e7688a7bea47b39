using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Storage.Projects;
using Flywheel.Storage.Proposals;

namespace Flywheel.Storage.Aligning;

internal sealed class AlignmentStore(Database database) : IAlignmentStore
{
    const string Columns =
        "id, project_id, metric_id, metric_version_id, state, label_until, plan, done, total, cost_usd, detail, result, proposal_id, "
            + "author, created_at, "
        + "ended_at, visible_at, worker, attempts";

    public async Task<IReadOnlyList<AlignmentCase>> CasesAsync(
        ProjectId project, MetricId metric, DateTimeOffset? until, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT gold.label_id, gold.span_id, span.trace_id, span.node, gold.passed, label.critique, gold.chance,
                CASE WHEN EXISTS (
                    SELECT 1 FROM review_served AS served
                    WHERE served.project_id = gold.project_id AND served.span_id = gold.span_id AND served.metric_id = gold.metric_id)
                THEN 1 ELSE 0 END,
                label.created_at
            FROM gold
            JOIN label ON label.project_id = gold.project_id AND label.id = gold.label_id
            JOIN span ON span.project_id = gold.project_id AND span.id = gold.span_id
            JOIN metric ON metric.id = gold.metric_id AND metric.project_id = gold.project_id
            JOIN metric_version AS version ON version.id = metric.current_version_id
            WHERE gold.project_id = @project AND gold.metric_id = @metric AND (CAST(@until AS BIGINT) IS NULL OR label.created_at <= @until)
                AND CASE version.subject WHEN 'input' THEN span.input ELSE span.output END IS NOT NULL
            ORDER BY label.created_at DESC, label.id DESC
            LIMIT @limit
            """,
            row => new AlignmentCase(
                row.Id(0), new(row.GetInt64(1)), row.GetString(2), row.GetString(3), row.YesNo(4), row.TextOrNull(5), row.GetDouble(6),
                row.YesNo(7),
                row.Moment(8)),
            ct, ("project", project.Value), ("metric", metric.Value), ("until", until), ("limit", limit)).ConfigureAwait(false);

    public Task<AlignmentRun> BeginAsync(
        Metric metric, AlignmentPlan plan, DateTimeOffset labelUntil, int total, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var begun = await session.FirstAsync(
                    $"""
                    INSERT INTO alignment_run (
                        project_id, metric_id, metric_version_id, label_until, plan, total, author, created_at, visible_at)
                    SELECT project_id, id, @version, @labels, @plan, @total, @author, @at, @at
                    FROM metric
                    WHERE project_id = @project AND id = @metric
                    ON CONFLICT (project_id, metric_id) WHERE state = 'running' DO NOTHING
                    RETURNING {Columns}
                    """,
                    Read, ct, ("version", metric.VersionId.Value), ("labels", labelUntil), ("plan", ProposalJson.Write(plan)),
                    ("total", total),
                    ("author", author), ("at", at), ("project", metric.Project.Value), ("metric", metric.Id.Value)).ConfigureAwait(false);
                // One that waits for a budget need not wait any longer: who asks again may have raised it.
                if (begun is null)
                    return await session.FirstAsync(
                        $"""
                        UPDATE alignment_run SET visible_at = CASE WHEN worker IS NULL AND visible_at > @at THEN @at ELSE visible_at END
                        WHERE project_id = @project AND metric_id = @metric AND state = 'running'
                        RETURNING {Columns}
                        """,
                        Read, ct, ("at", at), ("project", metric.Project.Value), ("metric", metric.Id.Value)).ConfigureAwait(false)
                        ?? throw new KeyNotFoundException($"Project {metric.Project.Value} has no metric {metric.Id.Value}.");
                await AuditAsync(session, begun, at, author, "alignment.begin", new { metric = metric.Name, metric.Number }, ct)
                    .ConfigureAwait(false);
                return begun;
            },
            ct);

    public Task<AlignmentRun?> ClaimAsync(long? only, string worker, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            // Whoever comes second finds visible_at moved on.
            session => session.FirstAsync(
                $"""
                UPDATE alignment_run SET worker = @worker, visible_at = @until
                WHERE state = 'running' AND visible_at <= @now AND id = (
                    SELECT id FROM alignment_run
                    WHERE state = 'running' AND visible_at <= @now AND (CAST(@only AS BIGINT) IS NULL OR id = @only)
                    ORDER BY visible_at, id
                    LIMIT 1)
                RETURNING {Columns}
                """,
                Read, ct, ("worker", worker), ("until", until), ("now", now), ("only", only)),
            ct);

    public async Task<bool> ReportAsync(
        AlignmentRun run, string worker, AlignmentPlan plan, int done, int total, double costUsd, DateTimeOffset until,
        CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                UPDATE alignment_run
                SET plan = @plan, done = @done, total = @total, cost_usd = cost_usd + @cost, visible_at = @until, detail = NULL
                WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                """,
                ct, ("plan", ProposalJson.Write(plan)), ("done", done), ("total", total), ("cost", costUsd), ("until", until),
                ("project", run.Project.Value), ("id", run.Id), ("worker", worker)),
            ct).ConfigureAwait(false) > 0;

    public async Task<bool> PauseAsync(
        AlignmentRun run, string worker, string why, bool isFault, DateTimeOffset until, CancellationToken ct) =>
        await database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                UPDATE alignment_run
                SET worker = NULL, detail = @why, visible_at = @until, attempts = attempts + @fault
                WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                """,
                ct, ("why", why), ("until", until), ("fault", isFault ? 1 : 0), ("project", run.Project.Value), ("id", run.Id),
                ("worker", worker)),
            ct).ConfigureAwait(false) > 0;

    public Task<AlignmentRun?> EndAsync(
        AlignmentRun run, string worker, string detail, AlignmentEvidence? result, NewProposal? proposal, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync<AlignmentRun?>(
            Urgency.Background,
            async session =>
            {
                var ended = await session.FirstAsync(
                    $"""
                    UPDATE alignment_run
                    SET state = @state, worker = NULL, detail = @detail, result = @result, ended_at = @at
                    WHERE project_id = @project AND id = @id AND state = 'running' AND worker = @worker
                    RETURNING {Columns}
                    """,
                    Read, ct, ("state", result is null ? "failed" : "done"), ("detail", detail),
                    ("result", result is null ? null : ProposalJson.Write(result)), ("at", at), ("project", run.Project.Value),
                    ("id", run.Id),
                    ("worker", worker)).ConfigureAwait(false);
                if (ended is null)
                    return null;
                if (proposal is not null)
                {
                    var made = await ProposalStore.AddAsync(database, session, run.Project, proposal, at, ct).ConfigureAwait(false);
                    await session.ExecuteAsync(
                        "UPDATE alignment_run SET proposal_id = @proposal WHERE project_id = @project AND id = @id",
                        ct, ("proposal", made.Id), ("project", run.Project.Value), ("id", run.Id)).ConfigureAwait(false);
                    ended = ended with { Proposal = made.Id };
                }
                await AuditAsync(
                    session, ended, at, run.Author, "alignment.end",
                    new { metric = run.Metric.Value, state = Wire.Name(ended.State), proposal = ended.Proposal }, ct)
                    .ConfigureAwait(false);
                return ended;
            },
            ct);

    public async Task<IReadOnlyList<AlignmentRun>> ListAsync(ProjectId project, MetricId? metric, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM alignment_run
            WHERE project_id = @project AND (CAST(@metric AS BIGINT) IS NULL OR metric_id = @metric)
            ORDER BY id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("metric", metric?.Value), ("limit", limit)).ConfigureAwait(false);

    public Task<AlignmentRun?> FindAsync(ProjectId project, long id, CancellationToken ct) =>
        database.FirstAsync(
            $"SELECT {Columns} FROM alignment_run WHERE project_id = @project AND id = @id", Read, ct, ("project", project.Value),
            ("id", id));

    Task AuditAsync(Session session, AlignmentRun it, DateTimeOffset at, string who, string action, object details, CancellationToken ct) =>
        AuditStore.AppendAsync(
            database, session, it.Project, at, who, action, it.Id.ToString(CultureInfo.InvariantCulture), JsonSerializer.Serialize(details),
            ct);

    static AlignmentRun Read(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), new(row.GetInt64(2)), new(row.GetInt64(3)), row.Word<AlignmentState>(4), row.Moment(5),
        ProposalJson.Read<AlignmentPlan>(row.GetString(6)), row.GetInt32(7), row.GetInt32(8), row.GetDouble(9), row.TextOrNull(10),
        row.TextOrNull(11),
        row.IsDBNull(12) ? null : row.GetInt64(12), row.GetString(13), row.Moment(14), row.MomentOrNull(15), row.Moment(16),
        row.TextOrNull(17),
        row.GetInt32(18));
}
