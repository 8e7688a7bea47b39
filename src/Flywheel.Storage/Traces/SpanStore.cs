using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

internal sealed class SpanStore(Database database) : ISpanStore
{
    public Task<Span?> FindAsync(ProjectId project, SpanKey key, CancellationToken ct) =>
        database.FirstAsync(
            $"""
            SELECT {SpanRow.Columns}
            FROM span
            WHERE project_id = @project AND trace_id = @trace AND span_id = @span
            """,
            SpanRow.Read, ct, ("project", project.Value), ("trace", key.Trace), ("span", key.Span));

    public async Task<IReadOnlyList<Span>> GetAsync(ProjectId project, IReadOnlyList<SpanId> ids, CancellationToken ct)
    {
        if (ids.Count == 0)
            return [];
        var found = await database.QueryAsync(
            $"SELECT {SpanRow.Columns} FROM span WHERE project_id = @project AND id IN (@ids)",
            SpanRow.Read, ct, ("project", project.Value), ("ids", ids.Select(id => id.Value).ToArray())).ConfigureAwait(false);
        var byId = found.ToDictionary(span => span.Id);
        return ids.Where(byId.ContainsKey).Select(id => byId[id]).ToArray();
    }

    public async Task<IReadOnlyList<Span>> TraceAsync(ProjectId project, string traceId, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {SpanRow.Columns}
            FROM span
            WHERE project_id = @project AND trace_id = @trace
            ORDER BY started_at, id
            """,
            SpanRow.Read, ct, ("project", project.Value), ("trace", traceId)).ConfigureAwait(false);

    public Task<Page<TraceSummary>> ListTracesAsync(ProjectId project, TraceFilter filter, CancellationToken ct) =>
        database.ReadAsync(session => TraceList.ReadAsync(session, project, filter, ct), ct);

    public Task<Page<Span>> SearchAsync(ProjectId project, SpanSearch search, CancellationToken ct) =>
        database.ReadAsync(session => SpanSearching.ReadAsync(session, project, search, ct), ct);

    public async Task<IReadOnlyList<Span>> NewestAsync(ProjectId project, IReadOnlyList<string>? nodes, int limit, CancellationToken ct)
    {
        var newest = new List<Span>();
        foreach (var node in nodes ?? [null!])
            newest.AddRange(await database.QueryAsync(
                node is null
                    ? $"SELECT {SpanRow.Columns} FROM span WHERE project_id = @project ORDER BY id DESC LIMIT @limit"
                    : $"SELECT {SpanRow.Columns} FROM span WHERE project_id = @project AND node = @node ORDER BY id DESC LIMIT @limit",
                SpanRow.Read, ct, ("project", project.Value), ("node", node), ("limit", limit)).ConfigureAwait(false));
        return [.. newest.OrderByDescending(span => span.Id.Value).Take(limit)];
    }

    public async Task<IReadOnlyList<Span>> AfterAsync(ProjectId project, SpanId after, string? node, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            node is null
                ? $"""
                SELECT {SpanRow.Columns}
                FROM span
                WHERE project_id = @project AND id > @after
                ORDER BY id
                LIMIT @limit
                """
                : $"""
                SELECT {SpanRow.Columns}
                FROM span
                WHERE project_id = @project AND node = @node AND id > @after
                ORDER BY id
                LIMIT @limit
                """,
            SpanRow.Read, ct,
            node is null
                ? [("project", project.Value), ("after", after.Value), ("limit", limit)]
                : [("project", project.Value), ("node", node), ("after", after.Value), ("limit", limit)]).ConfigureAwait(false);

    public async Task<IReadOnlyList<Span>> UnreviewedAsync(ProjectId project, string node, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            $"""
            SELECT {SpanRow.Columns}
            FROM span
            WHERE project_id = @project AND node = @node AND NOT EXISTS (
                SELECT 1 FROM correction WHERE correction.project_id = span.project_id AND correction.span_id = span.id)
            ORDER BY id DESC
            LIMIT @limit
            """,
            SpanRow.Read, ct, ("project", project.Value), ("node", node), ("limit", limit)).ConfigureAwait(false);

    public async Task<IReadOnlyList<(string Node, NodeKind Kind)>> NodesAsync(ProjectId project, CancellationToken ct) =>
        await database.QueryAsync(
            // From name to name along the index: one step a node.
            """
            WITH RECURSIVE nodes (node) AS (
                SELECT (SELECT min(node) FROM span WHERE project_id = @project)
                UNION ALL
                SELECT (SELECT min(span.node) FROM span WHERE span.project_id = @project AND span.node > nodes.node)
                FROM nodes
                WHERE nodes.node IS NOT NULL
            )
            SELECT node, (
                SELECT kind FROM span
                WHERE span.project_id = @project AND span.node = nodes.node
                ORDER BY span.id DESC
                LIMIT 1)
            FROM nodes
            WHERE node IS NOT NULL
            """,
            row => (row.GetString(0), row.Word<NodeKind>(1)), ct, ("project", project.Value)).ConfigureAwait(false);

    public async Task<long> CountAsync(ProjectId project, CancellationToken ct) =>
        await database.NumberAsync(
            "SELECT count(*) FROM span WHERE project_id = @project", ct, ("project", project.Value)).ConfigureAwait(false) ?? 0;

    public async Task<bool?> EvaluateAsync(ProjectId project, SpanId span, string expressionSql, CancellationToken ct) =>
        await database.EvaluateAsync(project, span, expressionSql, ct).ConfigureAwait(false) switch
        {
            null => null,
            bool truth => truth,
            double number => number != 0,
            float number => number != 0,
            decimal number => number != 0,
            long number => number != 0,
            int number => number != 0,
            short number => number != 0,
            var other => throw new InvalidOperationException(
                $"The expression gives {(other is string ? "a text" : other.GetType().Name)}, not true or false: compare it with "
                    + "something."),
        };
}
