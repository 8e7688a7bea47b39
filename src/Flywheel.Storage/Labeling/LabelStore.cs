using System.Data.Common;
using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Labeling;

/// <summary>Labels that say pass or fail. Those of people who were unsure stand in the table and are not read here.</summary>
internal sealed class LabelStore(Database database) : ILabelStore
{
    const string Columns = "id, project_id, span_id, metric_id, passed, mode, critique, author, propensity, created_at, adjudicates";

    public Task<InsertResult> AddAsync(Label label, CancellationToken ct) =>
        database.WriteAsync(Urgency.Interactive, session => PutAsync(session, label, ct), ct);

    internal static async Task<InsertResult> PutAsync(Session session, Label label, CancellationToken ct)
    {
        var added = await session.ExecuteAsync(
            """
            INSERT INTO label (
                project_id, id, span_id, metric_id, passed, mode, critique, author, propensity, created_at, adjudicates)
            SELECT span.project_id, @id, span.id, metric.id, @passed, @mode, @critique, @author, @propensity, @at, @adjudicates
            FROM span
            JOIN metric ON metric.project_id = span.project_id AND metric.id = @metric
            WHERE span.project_id = @project AND span.id = @span
            ON CONFLICT (project_id, id) DO NOTHING
            """,
            ct,
            ("id", label.Id), ("passed", label.Passed), ("mode", Wire.Name(label.Mode)), ("critique", label.Critique),
            ("author", label.Author), ("propensity", label.Propensity), ("at", label.CreatedAt),
            ("adjudicates", label.Adjudicates), ("metric", label.Metric.Value), ("project", label.Project.Value),
            ("span", label.Span.Value)).ConfigureAwait(false);
        if (added > 0)
            return InsertResult.Stored;
        var stored = await session.QueryAsync(
            $"SELECT {Columns} FROM label WHERE project_id = @project AND id = @id",
            row => row.IsDBNull(4) ? null : Read(row), ct, ("project", label.Project.Value), ("id", label.Id)).ConfigureAwait(false);
        if (stored.Count == 0)
            throw new KeyNotFoundException(
                $"Project {label.Project.Value} has no span {label.Span.Value} or no metric {label.Metric.Value}.");
        // A repeat may come with its own clock.
        return stored[0] is { } there
            && there == label with { CreatedAt = there.CreatedAt } ? InsertResult.Repeated : InsertResult.Conflicting;
    }

    public Task<bool> RemoveAsync(ProjectId project, Guid id, string author, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var removed = await session.QueryAsync(
                    "DELETE FROM label WHERE project_id = @project AND id = @id RETURNING span_id, metric_id, passed, author",
                    row => new { span = row.GetInt64(0), metric = row.GetInt64(1), passed = row.IsDBNull(2) ? (bool?)null : row.YesNo(2),
                        author = row.GetString(3) },
                    ct, ("project", project.Value), ("id", id)).ConfigureAwait(false);
                if (removed.Count == 0)
                    return false;
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "label.remove", id.ToString("D"),
                    JsonSerializer.Serialize(removed[0]), ct).ConfigureAwait(false);
                return true;
            },
            ct);

    public async Task<IReadOnlyList<Label>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0
            ? []
            : await database.QueryAsync(
                $"""
                SELECT {Columns}
                FROM label
                WHERE project_id = @project AND span_id IN (@spans) AND passed IS NOT NULL
                ORDER BY created_at, id
                """,
                Read, ct, ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    public async Task<IReadOnlyList<Label>> ListAsync(ProjectId project, MetricId? metric, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM label
            WHERE project_id = @project AND (CAST(@metric AS BIGINT) IS NULL OR metric_id = @metric) AND passed IS NOT NULL
            ORDER BY created_at DESC, id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("metric", metric?.Value), ("limit", limit)).ConfigureAwait(false);

    static Label Read(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), new(row.GetInt64(2)), new(row.GetInt64(3)), row.YesNo(4), row.Word<LabelMode>(5),
        row.TextOrNull(6), row.GetString(7), row.DoubleOrNull(8), row.Moment(9))
    {
        Adjudicates = row.YesNo(10),
    };
}
