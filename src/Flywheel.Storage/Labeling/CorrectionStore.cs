using System.Data.Common;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Labeling;

internal sealed class CorrectionStore(Database database) : ICorrectionStore
{
    const string Columns = "id, project_id, span_id, went_wrong, corrected_output, reasoning, author, created_at";

    public Task<InsertResult> AddAsync(Correction correction, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                var added = await session.ExecuteAsync(
                    """
                    INSERT INTO correction (
                        project_id, id, span_id, went_wrong, corrected_output, reasoning, author, created_at)
                    SELECT span.project_id, @id, span.id, @wrong, @output, @reasoning, @author, @at
                    FROM span
                    WHERE span.project_id = @project AND span.id = @span
                    ON CONFLICT (project_id, id) DO NOTHING
                    """,
                    ct,
                    ("id", correction.Id), ("wrong", correction.WentWrong), ("output", correction.CorrectedOutput),
                    ("reasoning", correction.Reasoning), ("author", correction.Author), ("at", correction.CreatedAt),
                    ("project", correction.Project.Value), ("span", correction.Span.Value)).ConfigureAwait(false);
                if (added > 0)
                    return InsertResult.Stored;
                var stored = await session.FirstAsync(
                    $"SELECT {Columns} FROM correction WHERE project_id = @project AND id = @id",
                    Read, ct, ("project", correction.Project.Value), ("id", correction.Id)).ConfigureAwait(false)
                    ?? throw new KeyNotFoundException($"Project {correction.Project.Value} has no span {correction.Span.Value}.");
                return stored == correction with { CreatedAt = stored.CreatedAt } ? InsertResult.Repeated : InsertResult.Conflicting;
            },
            ct);

    public async Task<IReadOnlyList<Correction>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0
            ? []
            : await database.QueryAsync(
                $"""
                SELECT {Columns}
                FROM correction
                WHERE project_id = @project AND span_id IN (@spans)
                ORDER BY created_at, id
                """,
                Read, ct, ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    public async Task<IReadOnlyList<Correction>> ListAsync(ProjectId project, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {Columns}
            FROM correction
            WHERE project_id = @project
            ORDER BY created_at DESC, id DESC
            LIMIT @limit
            """,
            Read, ct, ("project", project.Value), ("limit", limit)).ConfigureAwait(false);

    static Correction Read(DbDataReader row) => new(
        row.Id(0), new(row.GetInt64(1)), new(row.GetInt64(2)), row.TextOrNull(3), row.GetString(4), row.TextOrNull(5),
        row.GetString(6), row.Moment(7));
}
