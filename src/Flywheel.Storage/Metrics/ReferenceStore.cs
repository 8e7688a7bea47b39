using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Metrics;

internal sealed class ReferenceStore(Database database) : IReferenceStore
{
    const string Columns = "project_id, metric_id, number, node, spans, state, author, created_at, decided_by, decided_at";

    public async Task<IReadOnlyList<SpanId>> CandidatesAsync(
        ProjectId project, MetricId metric, string? node, MetricSubject subject, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT max(recent.id) AS newest
            FROM (
                SELECT span.id, CASE WHEN @subject = 'output' THEN span.output ELSE span.input END AS said
                FROM span
                WHERE span.project_id = @project AND (@node = '' OR span.node = @node)
                    AND coalesce(CASE WHEN @subject = 'output' THEN span.output ELSE span.input END, '') <> ''
                    AND NOT EXISTS (
                        SELECT 1
                        FROM verdict
                        JOIN metric_version AS version ON version.id = verdict.metric_version_id
                        WHERE verdict.project_id = @project AND verdict.span_id = span.id AND verdict.outcome = 'fail'
                            AND version.subject = @subject AND verdict.metric_id <> @metric)
                ORDER BY span.id DESC
                LIMIT @scanned
            ) AS recent
            GROUP BY recent.said
            ORDER BY newest DESC
            LIMIT @limit
            """,
            row => new SpanId(row.GetInt64(0)), ct, ("project", project.Value), ("node", node ?? ""), ("metric", metric.Value),
            ("scanned", 4 * limit), ("limit", limit),
            ("subject", Wire.Name(subject))).ConfigureAwait(false);

    public Task<Reference> ProposeAsync(
        ProjectId project, MetricId metric, string? node, IReadOnlyList<SpanId> spans, string author, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                // First of all, so that proposals of one project wait for each other and numbers rise by one.
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "reference.propose", Subject(metric),
                    JsonSerializer.Serialize(new { node, spans = spans.Count }), ct).ConfigureAwait(false);
                var number = 1 + await session.NumberAsync(
                    "SELECT coalesce(max(number), 0) FROM reference_set WHERE project_id = @project AND metric_id = @metric",
                    ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
                await session.ExecuteAsync(
                    """
                    INSERT INTO reference_set (project_id, metric_id, number, node, spans, total, state, author, created_at)
                    VALUES (@project, @metric, @number, @node, @spans, @total, 'proposed', @author, @at)
                    """,
                    ct, ("project", project.Value), ("metric", metric.Value), ("number", number), ("node", node),
                    ("spans", JsonSerializer.Serialize(spans.Select(span => span.Value))), ("total", spans.Count), ("author", author),
                    ("at", at))
                    .ConfigureAwait(false);
                return (await FindAsync(session, project, metric, (int)number!, ct).ConfigureAwait(false))!;
            },
            ct);

    public Task<Reference?> DecideAsync(
        ProjectId project, MetricId metric, int number, bool approve, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var changed = await session.ExecuteAsync(
                    """
                    UPDATE reference_set SET state = @state, decided_by = @author, decided_at = @at
                    WHERE project_id = @project AND metric_id = @metric AND number = @number AND state = 'proposed'
                    """,
                    ct, ("state", approve ? "approved" : "rejected"), ("author", author), ("at", at), ("project", project.Value),
                    ("metric", metric.Value), ("number", number)).ConfigureAwait(false);
                if (changed == 0)
                    return null;
                await AuditStore.AppendAsync(
                    database, session, project, at, author, approve ? "reference.approve" : "reference.reject", Subject(metric),
                    JsonSerializer.Serialize(new { number }), ct).ConfigureAwait(false);
                return await FindAsync(session, project, metric, number, ct).ConfigureAwait(false);
            },
            ct);

    public async Task<IReadOnlyList<Reference>> ListAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM reference_set WHERE project_id = @project AND metric_id = @metric ORDER BY number DESC",
            Read, ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);

    public Task<Reference?> CurrentAsync(ProjectId project, string metric, CancellationToken ct) =>
        database.FirstAsync(
            $"""
            SELECT {Columns}
            FROM reference_set
            WHERE project_id = @project AND state = 'approved'
                AND metric_id = (SELECT metric.id FROM metric WHERE metric.project_id = @project AND metric.name = @metric)
            ORDER BY decided_at DESC, number DESC
            LIMIT 1
            """,
            Read, ct, ("project", project.Value), ("metric", metric));

    static Task<Reference?> FindAsync(Session session, ProjectId project, MetricId metric, int number, CancellationToken ct) =>
        session.FirstAsync(
            $"SELECT {Columns} FROM reference_set WHERE project_id = @project AND metric_id = @metric AND number = @number",
            Read, ct, ("project", project.Value), ("metric", metric.Value), ("number", number));

    static string Subject(MetricId metric) => "metric " + metric.Value.ToString(CultureInfo.InvariantCulture);

    static Reference Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), (int)row.GetInt64(2), row.IsDBNull(3) ? null : row.GetString(3),
        [.. JsonSerializer.Deserialize<long[]>(row.GetString(4))!.Select(id => new SpanId(id))], row.Word<ReferenceState>(5),
        row.GetString(6),
        row.Moment(7), row.IsDBNull(8) ? null : row.GetString(8), row.IsDBNull(9) ? null : row.Moment(9));
}
