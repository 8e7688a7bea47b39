using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Judging;

internal sealed class GuidelineStore(Database database) : IGuidelineStore
{
    const string Columns =
        "id, project_id, metric_id, text, labels, state, author, created_at, approved_by, approved_at, removed_by, removed_at";

    public Task AddAsync(IReadOnlyList<Guideline> guidelines, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                foreach (var it in guidelines)
                {
                    var added = await session.ExecuteAsync(
                        """
                        INSERT INTO guideline (project_id, id, metric_id, text, labels, author, created_at)
                        SELECT project_id, @id, id, @text, @labels, @author, @at
                        FROM metric
                        WHERE project_id = @project AND id = @metric
                        """,
                        ct, ("id", it.Id), ("text", it.Text), ("labels", Rows.Json(it.Labels)), ("author", it.Author), ("at", it.CreatedAt),
                        ("project", it.Project.Value), ("metric", it.Metric.Value)).ConfigureAwait(false);
                    if (added == 0)
                        throw new KeyNotFoundException($"Project {it.Project.Value} has no metric {it.Metric.Value}.");
                    await AuditAsync(session, it, "guideline.propose", it.Author, it.CreatedAt, ct).ConfigureAwait(false);
                }
                return true;
            },
            ct);

    public async Task<IReadOnlyList<Guideline>> ListAsync(
        ProjectId project, MetricId metric, GuidelineState? state, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM guideline
            WHERE project_id = @project AND metric_id = @metric AND (CAST(@state AS TEXT) IS NULL OR state = @state)
            ORDER BY created_at, id
            """,
            Read, ct, ("project", project.Value), ("metric", metric.Value), ("state", state is { } word ? Wire.Name(word) : null))
            .ConfigureAwait(false);

    public async Task<IReadOnlyList<string>> ApprovedAsync(ProjectId project, string metric, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT guideline.text
            FROM metric
            JOIN guideline ON guideline.project_id = metric.project_id AND guideline.metric_id = metric.id
                AND guideline.state = 'approved'
            WHERE metric.project_id = @project AND metric.name = @name
            ORDER BY guideline.approved_at, guideline.id
            """,
            row => row.GetString(0), ct, ("project", project.Value), ("name", metric)).ConfigureAwait(false);

    public Task<Guideline?> ApproveAsync(
        ProjectId project, MetricId metric, Guid id, string approver, DateTimeOffset at, CancellationToken ct) =>
        ChangeAsync(
            $"""
            UPDATE guideline
            SET state = 'approved', approved_by = @who, approved_at = @at, removed_by = NULL, removed_at = NULL
            WHERE project_id = @project AND metric_id = @metric AND id = @id AND state <> 'approved'
            RETURNING {Columns}
            """,
            project, metric, id, "guideline.approve", approver, at, ct);

    public Task<Guideline?> RemoveAsync(
        ProjectId project, MetricId metric, Guid id, string author, DateTimeOffset at, CancellationToken ct) =>
        ChangeAsync(
            $"""
            UPDATE guideline
            SET state = 'removed', removed_by = @who, removed_at = @at
            WHERE project_id = @project AND metric_id = @metric AND id = @id AND state <> 'removed'
            RETURNING {Columns}
            """,
            project, metric, id, "guideline.remove", author, at, ct);

    public async Task<IReadOnlyList<JudgeDisagreement>> DisagreementsAsync(
        ProjectId project, MetricId metric, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT label.id, CASE version.subject WHEN 'input' THEN span.input ELSE span.output END, label.passed, label.critique,
                verdict.outcome, verdict.reason
            FROM label
            JOIN span ON span.project_id = label.project_id AND span.id = label.span_id
            JOIN current_verdict AS verdict ON verdict.project_id = label.project_id AND verdict.span_id = label.span_id
                AND verdict.metric_id = label.metric_id
            JOIN metric_version AS version ON version.id = verdict.metric_version_id
            WHERE label.project_id = @project AND label.metric_id = @metric AND label.mode IN ('blind', 'edited')
                AND verdict.outcome = CASE label.passed WHEN 1 THEN 'fail' WHEN 0 THEN 'pass' END
                AND CASE version.subject WHEN 'input' THEN span.input ELSE span.output END IS NOT NULL
            ORDER BY CASE WHEN label.critique IS NULL THEN 1 ELSE 0 END, label.created_at DESC, label.id
            LIMIT @limit
            """,
            row => new JudgeDisagreement(
                row.Id(0), row.GetString(1), row.YesNo(2), row.TextOrNull(3), row.Word<Outcome>(4), row.TextOrNull(5)),
            ct, ("project", project.Value), ("metric", metric.Value), ("limit", limit)).ConfigureAwait(false);

    /// <summary>Ids of a metric's approved guidelines, in order.</summary>
    internal static async Task<IReadOnlyList<Guid>> ApprovedIdsAsync(
        Session session, ProjectId project, MetricId metric, CancellationToken ct) =>
        [
            .. (await session.QueryAsync(
                "SELECT id FROM guideline WHERE project_id = @project AND metric_id = @metric AND state = 'approved'",
                row => row.Id(0), ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false)).Order(),
        ];

    /// <summary>Adds one that a person approved with something else, inside that transaction.</summary>
    internal static async Task AddApprovedAsync(Database database, Session session, Guideline it, CancellationToken ct)
    {
        await session.ExecuteAsync(
            """
            INSERT INTO guideline (project_id, id, metric_id, text, labels, state, author, created_at, approved_by, approved_at)
            VALUES (@project, @id, @metric, @text, @labels, 'approved', @author, @created, @who, @at)
            """,
            ct, ("project", it.Project.Value), ("id", it.Id), ("metric", it.Metric.Value), ("text", it.Text),
            ("labels", Rows.Json(it.Labels)),
            ("author", it.Author), ("created", it.CreatedAt), ("who", it.ApprovedBy), ("at", it.ApprovedAt)).ConfigureAwait(false);
        await AuditAsync(database, session, it, "guideline.approve", it.ApprovedBy!, it.ApprovedAt!.Value, ct).ConfigureAwait(false);
    }

    Task<Guideline?> ChangeAsync(
        string sql, ProjectId project, MetricId metric, Guid id, string action, string who, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var changed = await session.FirstAsync(
                    sql, Read, ct, ("who", who), ("at", at), ("project", project.Value), ("metric", metric.Value), ("id", id))
                    .ConfigureAwait(false);
                if (changed is not null)
                    await AuditAsync(session, changed, action, who, at, ct).ConfigureAwait(false);
                return changed ?? await session.FirstAsync(
                    $"SELECT {Columns} FROM guideline WHERE project_id = @project AND metric_id = @metric AND id = @id",
                    Read, ct, ("project", project.Value), ("metric", metric.Value), ("id", id)).ConfigureAwait(false);
            },
            ct);

    Task AuditAsync(Session session, Guideline it, string action, string who, DateTimeOffset at, CancellationToken ct) =>
        AuditAsync(database, session, it, action, who, at, ct);

    static Task AuditAsync(
        Database database, Session session, Guideline it, string action, string who, DateTimeOffset at, CancellationToken ct) =>
        AuditStore.AppendAsync(
            database, session, it.Project, at, who, action, it.Id.ToString("D"),
            // Of the text only a hash: it may quote a user, and the audit is never erased.
            JsonSerializer.Serialize(
                new { metric = it.Metric.Value, text_sha256 = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(it.Text))) }),
                    ct);

    static Guideline Read(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), new(row.GetInt64(2)), row.GetString(3), row.Ids(4), row.Word<GuidelineState>(5), row.GetString(6),
        row.Moment(7), row.TextOrNull(8), row.MomentOrNull(9), row.TextOrNull(10), row.MomentOrNull(11));
}
