using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

/// <summary>One page of spans that fit, newest arrivals first.</summary>
internal static class SpanSearching
{
    /// <summary>Row numbers that one call looks through: a text that stands nowhere must not read ten million spans.</summary>
    const long Window = 100_000;

    public static async Task<Page<Span>> ReadAsync(Session session, ProjectId project, SpanSearch search, CancellationToken ct)
    {
        var before = Before(search.Cursor)
            ?? 1 + (await session.NumberAsync("SELECT max(id) FROM span WHERE project_id = @project", ct, ("project", project.Value))
            .ConfigureAwait(false) ?? 0);
        var from = Math.Max(0, before - Window);
        List<string> conditions = ["span.project_id = @project", "span.id < @before", "span.id >= @from"];
        List<(string, object?)> values = [("project", project.Value), ("before", before), ("from", from), ("limit", search.Limit + 1)];
        void Add(string condition, string name, object value)
        {
            conditions.Add(condition);
            values.Add((name, value));
        }

        if (search.Node is { } node)
            Add("span.node = @node", "node", node);
        if (search.Kind is { } kind)
            Add("span.kind = @kind", "kind", Wire.Name(kind));
        if (search.From is { } since)
            Add("span.started_at >= @since", "since", since);
        if (search.To is { } until)
            Add("span.started_at < @until", "until", until);
        if (search.Failed)
            conditions.Add("span.error IS NOT NULL");
        if (search.Text is { } text)
            Add(
                """
                (lower(span.input) LIKE @text ESCAPE '!' OR lower(span.output) LIKE @text ESCAPE '!' OR lower(span.error) LIKE @text ESCAPE '!')
                """,
                "text", "%" + Escaped(text) + "%");
        if (search.Outcome is { } outcome)
        {
            var ofMetric = "";
            if (search.Metric is { } metric)
            {
                ofMetric = " AND verdict.metric_id = (SELECT metric.id FROM metric WHERE metric.project_id = @project AND metric.name = "
                    + "@metric)";
                values.Add(("metric", metric));
            }
            Add(
                $"""
                (SELECT count(*) FROM current_verdict AS verdict
                    WHERE verdict.project_id = @project AND verdict.span_id = span.id AND verdict.outcome = @outcome{ofMetric}) > 0
                """,
                "outcome", Wire.Name(outcome));
        }

        var found = await session.QueryAsync(
            $"SELECT {SpanRow.Columns} FROM span WHERE {string.Join(" AND ", conditions)} ORDER BY span.id DESC LIMIT @limit",
            SpanRow.Read, ct, [.. values]).ConfigureAwait(false);
        if (found.Count <= search.Limit)
            return new(found, from > 0 ? from.ToString(CultureInfo.InvariantCulture) : null);
        found.RemoveAt(search.Limit);
        return new(found, found[^1].Id.Value.ToString(CultureInfo.InvariantCulture));
    }

    static long? Before(string? cursor) =>
        cursor is null ? null
        : long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var before) ? before
        : throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));

    /// <summary>ASCII only, as SQLite's <c>lower</c>: both databases then find the same.</summary>
    static string Escaped(string text) => string.Concat(text.Select(c => c switch
    {
        '!' or '%' or '_' => "!" + c,
        >= 'A' and <= 'Z' => ((char)(c + 32)).ToString(),
        _ => c.ToString(),
    }));
}
