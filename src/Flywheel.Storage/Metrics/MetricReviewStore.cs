using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Metrics;

internal sealed class MetricReviewStore(Database database) : IMetricReviewStore
{
    const string Columns = "project_id, metric_id, number, metric_version_id, decision, note, author, created_at, newest_span, evidence";

    public Task<IReadOnlyList<MetricSchedule>> SchedulesAsync(ProjectId project, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<MetricSchedule>>(
            async session =>
            {
                var metrics = await MetricRow.ActiveAsync(session, project, ct).ConfigureAwait(false);
                var days = (await session.QueryAsync(
                    """
                    SELECT metric.id, metric.review_days, project.metric_review_days, (
                        SELECT min(first.created_at) FROM metric_version AS first WHERE first.metric_id = metric.id)
                    FROM metric
                    JOIN project ON project.id = metric.project_id
                    WHERE metric.project_id = @project
                    """,
                    row => (Metric: row.GetInt64(0), Own: row.IsDBNull(1) ? (int?)null : row.GetInt32(1), Project: row.GetInt32(2),
                        Since: row.Moment(3)),
                    ct, ("project", project.Value)).ConfigureAwait(false)).ToDictionary(row => row.Metric);
                var last = (await session.QueryAsync(
                    $"""
                    SELECT {Columns}
                    FROM metric_review AS review
                    WHERE project_id = @project AND number = (
                        SELECT max(newer.number) FROM metric_review AS newer
                        WHERE newer.project_id = review.project_id AND newer.metric_id = review.metric_id)
                    """,
                    Read, ct, ("project", project.Value)).ConfigureAwait(false)).ToDictionary(review => review.Metric.Value);
                return [.. metrics.OrderBy(metric => metric.Name, StringComparer.Ordinal).Select(metric =>
                {
                    var own = days[metric.Id.Value];
                    var review = last.GetValueOrDefault(metric.Id.Value);
                    return new MetricSchedule(metric, own.Own ?? own.Project, own.Own is not null, review?.At ?? own.Since, review);
                })];
            },
            ct);

    public Task<bool> SetDaysAsync(
        ProjectId project, MetricId metric, int? everyDays, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var changed = await session.ExecuteAsync(
                    "UPDATE metric SET review_days = @days WHERE project_id = @project AND id = @metric",
                    ct, ("days", everyDays), ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
                if (changed == 0)
                    return false;
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "metric.review-days", Subject(metric),
                    JsonSerializer.Serialize(new { days = everyDays }), ct)
                    .ConfigureAwait(false);
                return true;
            },
            ct);

    public Task SetProjectDaysAsync(ProjectId project, int everyDays, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    "UPDATE project SET metric_review_days = @days WHERE id = @project", ct, ("days", everyDays),
                    ("project", project.Value)).ConfigureAwait(false);
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "project.review-days", "metrics",
                    JsonSerializer.Serialize(new { days = everyDays }), ct)
                    .ConfigureAwait(false);
                return true;
            },
            ct);

    public Task<MetricReview> AddAsync(
        ProjectId project, Metric metric, MetricDecision decision, string? note, string evidence, string author, DateTimeOffset at,
        CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                // First of all, so that reviews of one project wait for each other and numbers rise by one.
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "metric.review", Subject(metric.Id),
                    JsonSerializer.Serialize(new { metric = metric.Name, version = metric.Number, decision = Wire.Name(decision), note }),
                    ct).ConfigureAwait(false);
                var number = 1 + await session.NumberAsync(
                    "SELECT coalesce(max(number), 0) FROM metric_review WHERE project_id = @project AND metric_id = @metric",
                    ct, ("project", project.Value), ("metric", metric.Id.Value)).ConfigureAwait(false);
                await session.ExecuteAsync(
                    """
                    INSERT INTO metric_review (
                        project_id, metric_id, number, metric_version_id, decision, note, author, created_at, newest_span, evidence)
                    SELECT @project, @metric, @number, @version, @decision, @note, @author, @at, coalesce(max(span.id), 0), @evidence
                    FROM span
                    WHERE span.project_id = @project
                    """,
                    ct, ("project", project.Value), ("metric", metric.Id.Value), ("number", number), ("version", metric.VersionId.Value),
                    ("decision", Wire.Name(decision)), ("note", note), ("author", author), ("at", at), ("evidence", evidence))
                        .ConfigureAwait(false);
                if (decision == MetricDecision.Retire)
                    await MetricStore.SetStateAsync(database, session, project, metric.Name, MetricState.Retired, author, at, ct)
                        .ConfigureAwait(false);
                return (await session.FirstAsync(
                    $"SELECT {Columns} FROM metric_review WHERE project_id = @project AND metric_id = @metric AND number = @number",
                    Read, ct, ("project", project.Value), ("metric", metric.Id.Value), ("number", number)).ConfigureAwait(false))!;
            },
            ct);

    public async Task<IReadOnlyList<MetricReview>> ListAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.QueryAsync(
            $"SELECT {Columns} FROM metric_review WHERE project_id = @project AND metric_id = @metric ORDER BY number DESC",
            Read, ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);

    public async Task<IReadOnlyList<CheckedText>> CheckedAsync(
        ProjectId project, Metric metric, SpanId after, SpanId upTo, bool newest, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT span.id, span.trace_id, span.span_id, span.node, {(metric.Subject == MetricSubject.Output ? "span.output" : "span.input")},
                verdict.outcome, gold.passed
            FROM span
            JOIN current_verdict AS verdict ON verdict.project_id = span.project_id AND verdict.span_id = span.id AND verdict.metric_id = @metric
            LEFT JOIN gold ON gold.project_id = span.project_id AND gold.span_id = span.id AND gold.metric_id = @metric
            WHERE span.project_id = @project AND span.id > @after AND span.id <= @up_to AND verdict.outcome <> 'skipped'
            ORDER BY span.id {(newest ? "DESC" : "ASC")}
            LIMIT @limit
            """,
            row => new CheckedText(
                new(row.GetInt64(0)), new(row.GetString(1), row.GetString(2)), row.GetString(3), row.TextOrNull(4), row.Word<Outcome>(5),
                row.IsDBNull(6) ? null : row.GetInt64(6) == 1),
            ct, ("project", project.Value), ("metric", metric.Id.Value), ("after", after.Value), ("up_to", upTo.Value), ("limit", limit))
            .ConfigureAwait(false);

    static string Subject(MetricId metric) => "metric " + metric.Value.ToString(CultureInfo.InvariantCulture);

    static MetricReview Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), row.GetInt32(2), new(row.GetInt64(3)), row.Word<MetricDecision>(4), row.TextOrNull(5),
        row.GetString(6), row.Moment(7), new(row.GetInt64(8)), row.GetString(9));
}
