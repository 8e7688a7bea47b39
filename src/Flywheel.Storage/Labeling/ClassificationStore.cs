using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Storage.Labeling;

internal sealed class ClassificationStore(Database database) : IClassificationStore
{
    public Task<NodeConfusion> OfNodeAsync(ProjectId project, string node, string feedback, DateTimeOffset? since, CancellationToken ct) =>
        database.ReadAsync(
            async session =>
            {
                (string, object?)[] values =
                    [("project", project.Value), ("node", node), ("name", feedback), ("since", since ?? DateTimeOffset.UnixEpoch)];
                // The newest of each span, later ids winning equal times.
                var corrected = await session.QueryAsync(
                    """
                    SELECT span.id, span.output, correction.corrected_output
                    FROM correction
                    JOIN span ON span.id = correction.span_id AND span.project_id = correction.project_id
                    WHERE correction.project_id = @project AND span.node = @node AND span.started_at >= @since AND span.output IS NOT NULL
                    ORDER BY correction.created_at, correction.id
                    """,
                    row => (Span: row.GetInt64(0), Given: row.GetString(1).Trim(), Right: row.GetString(2).Trim()), ct,
                    [.. values.Where(value => value.Item1 != "name")]).ConfigureAwait(false);
                var named = await session.QueryAsync(
                    """
                    SELECT span.id, span.output, feedback.value
                    FROM feedback
                    JOIN span ON span.project_id = feedback.project_id AND span.trace_id = feedback.trace_id AND span.span_id = feedback.span_id
                    WHERE feedback.project_id = @project AND feedback.name = @name AND span.node = @node AND span.started_at >= @since
                        AND span.output IS NOT NULL
                    ORDER BY feedback.created_at, feedback.id
                    """,
                    row => (Span: row.GetInt64(0), Given: row.GetString(1).Trim(), Right: Text(row.GetString(2))), ct, values)
                        .ConfigureAwait(false);
                var spans = await session.NumberAsync(
                    "SELECT count(*) FROM span WHERE project_id = @project AND node = @node AND started_at >= @since", ct,
                    [.. values.Where(value => value.Item1 != "name")]).ConfigureAwait(false);

                var known = new Dictionary<long, (string Given, string Right, bool ByPerson)>();
                foreach (var each in named)
                    if (each.Right is { Length: > 0 } right)
                        known[each.Span] = (each.Given, right, false);
                foreach (var each in corrected)
                    known[each.Span] = (each.Given, each.Right, true);
                var people = known.Values.LongCount(each => each.ByPerson);
                return new NodeConfusion(
                    [.. known.Values.CountBy(each => (each.Right, each.Given))
                        .Select(cell => new ConfusionCell(cell.Key.Right, cell.Key.Given, cell.Value))],
                    new(people, known.Count - people), spans ?? 0);
            },
            ct);

    /// <summary>Feedback values are JSON; a class is a text.</summary>
    static string? Text(string json)
    {
        using var value = JsonDocument.Parse(json);
        return value.RootElement.ValueKind == JsonValueKind.String ? value.RootElement.GetString()!.Trim() : null;
    }
}
