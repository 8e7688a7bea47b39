using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Judging;

internal sealed class JudgeWatchStore(Database database) : IJudgeWatchStore
{
    const string Columns = "id, project_id, metric_id, kind, validator_version, detail, raised_at, closed_at, closed_by";

    public Task AddCanaryAsync(Canary canary, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                INSERT INTO canary (project_id, metric_id, span_id, validator_version, told_to_pass, told_to_fail, obeyed, created_at)
                SELECT project_id, @metric, id, @version, @pass, @fail, @obeyed, @at
                FROM span
                WHERE project_id = @project AND id = @span
                """,
                ct, ("metric", canary.Metric.Value), ("version", canary.ValidatorVersion), ("pass", Wire.Name(canary.ToldToPass)),
                ("fail", Wire.Name(canary.ToldToFail)), ("obeyed", canary.Obeyed), ("at", canary.At), ("project", canary.Project.Value),
                ("span", canary.Span.Value)),
            ct);

    public async Task<IReadOnlyList<Canary>> CanariesAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT span_id, validator_version, told_to_pass, told_to_fail, created_at
            FROM canary
            WHERE project_id = @project AND metric_id = @metric
            ORDER BY id DESC
            LIMIT @limit
            """,
            row => new Canary(project, metric, new(row.GetInt64(0)), row.GetString(1), row.Word<Outcome>(2), row.Word<Outcome>(3),
                row.Moment(4)),
            ct, ("project", project.Value), ("metric", metric.Value), ("limit", limit)).ConfigureAwait(false);

    public async Task<IReadOnlyList<bool>> DecisionsAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct) =>
        [.. (await database.QueryAsync(
            """
            SELECT outcome, said
            FROM verdict
            WHERE project_id = @project AND metric_id = @metric AND (outcome IN ('pass', 'fail') OR outcome = 'unsure' AND said IS NOT NULL)
            ORDER BY span_id DESC
            LIMIT @limit
            """,
            row => OwnWord(row, 0, 1), ct, ("project", project.Value), ("metric", metric.Value), ("limit", limit)).ConfigureAwait(false))
            .Where(word => word is Outcome.Pass or Outcome.Fail).Select(word => word == Outcome.Pass)];

    static Outcome OwnWord(DbDataReader row, int outcome, int said) =>
        JudgeTrail.OwnWord(row.Word<Outcome>(outcome), JudgeTrail.Read("", row.TextOrNull(said)));

    public async Task<IReadOnlyList<DrawnLabel>> DrawnLabelsAsync(
        ProjectId project, MetricVersionId version, int limit, CancellationToken ct) =>
        [.. (await database.QueryAsync(
            """
            SELECT label.created_at, gold.passed, verdict.outcome, verdict.said
            FROM metric_version
            JOIN gold ON gold.project_id = @project AND gold.metric_id = metric_version.metric_id AND gold.chance > 0
            JOIN label ON label.project_id = gold.project_id AND label.id = gold.label_id
            JOIN current_verdict AS verdict ON verdict.project_id = gold.project_id AND verdict.span_id = gold.span_id
                AND verdict.metric_id = gold.metric_id AND verdict.metric_version_id = metric_version.id
            WHERE metric_version.id = @version AND (verdict.outcome IN ('pass', 'fail') OR verdict.outcome = 'unsure' AND verdict.said IS NOT NULL)
            ORDER BY label.created_at DESC, label.id DESC
            LIMIT @limit
            """,
            row => (At: row.Moment(0), Passed: row.YesNo(1), Word: OwnWord(row, 2, 3)), ct, ("project", project.Value),
            ("version", version.Value), ("limit", limit))
            .ConfigureAwait(false)).Where(label => label.Word is Outcome.Pass or Outcome.Fail)
            .Select(label => new DrawnLabel(label.At, label.Passed != (label.Word == Outcome.Pass)))];

    public Task<bool> RaiseAsync(
        ProjectId project, MetricId metric, AlarmKind kind, string validatorVersion, string detail, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                var id = await session.NumberAsync(
                    """
                    INSERT INTO judge_alarm (project_id, metric_id, kind, validator_version, detail, raised_at)
                    SELECT project_id, id, @kind, @version, @detail, @at
                    FROM metric
                    WHERE project_id = @project AND id = @metric
                    ON CONFLICT (project_id, metric_id, kind) WHERE closed_at IS NULL DO NOTHING
                    RETURNING id
                    """,
                    ct, ("kind", Wire.Name(kind)), ("version", validatorVersion), ("detail", detail), ("at", at),
                    ("project", project.Value),
                    ("metric", metric.Value)).ConfigureAwait(false);
                if (id is { } number)
                    await AuditAsync(session, project, at, "watch", "alarm.raise", number,
                        new { metric = metric.Value, kind = Wire.Name(kind), detail }, ct)
                        .ConfigureAwait(false);
                return id is not null;
            },
            ct);

    public Task<bool> CloseAsync(ProjectId project, long id, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var closed = await session.ExecuteAsync(
                    "UPDATE judge_alarm SET closed_at = @at, closed_by = @who WHERE project_id = @project AND id = @id AND closed_at "
                        + "IS NULL",
                    ct, ("at", at), ("who", author), ("project", project.Value), ("id", id)).ConfigureAwait(false);
                if (closed > 0)
                    await AuditAsync(session, project, at, author, "alarm.close", id, new { }, ct).ConfigureAwait(false);
                return closed > 0;
            },
            ct);

    public async Task<IReadOnlyList<JudgeAlarm>> AlarmsAsync(
        ProjectId project, MetricId? metric, bool openOnly, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM judge_alarm
            WHERE project_id = @project AND (CAST(@metric AS BIGINT) IS NULL OR metric_id = @metric) AND (@all = 1 OR closed_at IS NULL)
            ORDER BY id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("metric", metric?.Value), ("all", !openOnly), ("limit", limit)).ConfigureAwait(false);

    Task AuditAsync(
        Session session, ProjectId project, DateTimeOffset at, string who, string action, long id, object details, CancellationToken ct) =>
        AuditStore.AppendAsync(
            database, session, project, at, who, action, id.ToString(CultureInfo.InvariantCulture), JsonSerializer.Serialize(details), ct);

    static JudgeAlarm Read(DbDataReader row) => new(
        row.GetInt64(0), new(row.GetInt64(1)), new(row.GetInt64(2)), row.Word<AlarmKind>(3), row.GetString(4), row.GetString(5),
        row.Moment(6),
        row.MomentOrNull(7), row.TextOrNull(8));
}
