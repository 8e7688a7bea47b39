using System.Data.Common;
using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Review;

internal sealed class ReviewStore(Database database) : IReviewStore
{
    /// <summary>Place of an item in the queue; all parts rise from one item to the next.</summary>
    readonly record struct Place(double Urgency, long Span, long Metric, string Reason)
    {
        public static Place Start { get; } = new(double.MinValue, long.MinValue, -1, "");

        public static Place Parse(string? cursor)
        {
            if (cursor is null)
                return Start;
            var parts = cursor.Split('~');
            if (parts.Length == 4
                && double.TryParse(parts[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var urgency)
                && long.TryParse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var span)
                && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var metric))
                return new(urgency, span, metric, parts[3]);
            throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Urgency:R}~{Span}~{Metric}~{Reason}");
    }

    public async Task<Page<ReviewItem>> ListAsync(ProjectId project, ReviewFilter filter, CancellationToken ct)
    {
        var after = Place.Parse(filter.Cursor);
        var found = await database.QueryAsync(
            """
            SELECT span.id, span.trace_id, span.span_id, span.node, span.kind, span.input, span.output, item.metric, item.reason,
                item.detail, item.priority, item.propensity, item.since, coalesce(item.metric_id, 0)
            FROM review_item AS item
            JOIN span ON span.project_id = item.project_id AND span.id = item.span_id
            WHERE item.project_id = @project
                AND (CAST(@node AS TEXT) IS NULL OR span.node = @node)
                AND (CAST(@metric AS TEXT) IS NULL OR item.metric = @metric)
                AND (CAST(@reason AS TEXT) IS NULL OR item.reason = @reason)
                AND (-item.priority, -item.span_id, coalesce(item.metric_id, 0), item.reason)
                    > (@urgency, @span, @metric_id, CAST(@after AS TEXT))
            ORDER BY item.priority DESC, item.span_id DESC, coalesce(item.metric_id, 0), item.reason
            LIMIT @limit
            """,
            row => (Item: Read(row), Place: new Place(-row.GetDouble(10), -row.GetInt64(0), row.GetInt64(13), row.GetString(8))), ct,
            ("project", project.Value), ("node", filter.Node), ("metric", filter.Metric),
            ("reason", filter.Reason is { } reason ? Wire.Name(reason) : null),
            ("urgency", after.Urgency), ("span", after.Span), ("metric_id", after.Metric), ("after", after.Reason),
            ("limit", filter.Limit + 1)).ConfigureAwait(false);
        var more = found.Count > filter.Limit;
        if (more)
            found.RemoveAt(filter.Limit);
        return new(found.Select(one => one.Item).ToArray(), more ? found[^1].Place.ToString() : null);
    }

    public Task AddPicksAsync(ProjectId project, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct) =>
        picks.Count == 0
            ? Task.CompletedTask
            : database.WriteAsync(
                Urgency.Background,
                async session =>
                {
                    await PutAsync(session, project, picks, at, ct).ConfigureAwait(false);
                    return 0;
                },
                ct);

    /// <summary>Records picks; those of spans or metrics that the project does not have are left out.</summary>
    internal static Task<int> PutAsync(
        Session session, ProjectId project, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct) =>
        session.ExecuteGivenAsync(
            """
            INSERT INTO review_pick (project_id, span_id, metric_id, reason, detail, priority, propensity, created_at)
            SELECT span.project_id, span.id, given.metric, given.why, given.detail, given.urgency, given.chance, given.at
            FROM @given
            JOIN span ON span.project_id = given.project AND span.id = given.span
            WHERE given.metric = 0 OR EXISTS (
                SELECT 1 FROM metric WHERE metric.project_id = given.project AND metric.id = given.metric)
            ON CONFLICT (project_id, span_id, metric_id, reason) DO NOTHING
            """,
            ct,
            new("project", picks.Select(_ => project.Value).ToArray()),
            new("span", picks.Select(pick => pick.Span.Value).ToArray()),
            new("metric", picks.Select(pick => pick.Metric?.Value ?? 0).ToArray()),
            new("why", picks.Select(pick => Wire.Name(pick.Reason)).ToArray()),
            new("detail", picks.Select(pick => pick.Detail).ToArray()),
            new("urgency", picks.Select(pick => pick.Priority).ToArray()),
            new("chance", picks.Select(pick => pick.Propensity).ToArray()),
            new("at", picks.Select(_ => Moments.Micros(at)).ToArray()));

    static ReviewItem Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetString(1), row.GetString(2)), row.GetString(3), row.Word<NodeKind>(4), row.TextOrNull(5),
        row.TextOrNull(6), row.TextOrNull(7), row.Word<ReviewReason>(8), row.GetString(9), row.GetDouble(10), row.DoubleOrNull(11),
        row.Moment(12));
}
