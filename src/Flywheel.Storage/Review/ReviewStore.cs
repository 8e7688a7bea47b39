using System.Data.Common;
using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Review;

internal sealed partial class ReviewStore(Database database) : IReviewStore
{
    const string Disagreements =
        """
        SELECT span_id, metric_id, metric, detail, 0.0, propensity, since
        FROM review_disagreement AS item
        WHERE project_id = @project AND (span_id, metric_id) < (@span, @metric_id)
        """;

    const string Adjudications =
        """
        SELECT span_id, metric_id, metric, detail, 0.0, propensity, since
        FROM review_adjudication AS item
        WHERE project_id = @project AND (span_id, metric_id) < (@span, @metric_id)
        """;

    /// <summary>Behind the picks of their reason, which are the same items in a better order.</summary>
    const string Verdicts =
        """
        SELECT span_id, metric_id, metric, detail, 0.0, propensity, since
        FROM review_verdict AS item
        WHERE project_id = @project AND outcome = @outcome AND (span_id, metric_id) < (@span, @metric_id) AND NOT EXISTS (
            SELECT 1 FROM review_pick AS pick
            WHERE pick.project_id = item.project_id AND pick.span_id = item.span_id AND pick.metric_id = item.metric_id AND pick.reason = @reason)
        """;

    const string Picks =
        """
        SELECT span_id, metric_id, metric, detail, priority, propensity, since
        FROM review_open_pick AS item
        WHERE project_id = @project AND reason = @reason AND (priority, span_id, metric_id) < (@priority, @span, @metric_id)
        """;

    const string OfMetric = " AND metric = @metric";
    const string OfNode = " AND (SELECT node FROM span WHERE span.project_id = item.project_id AND span.id = item.span_id) = @node";

    /// <summary>For one person: not what they have labelled, and not what another holds.</summary>
    const string OfAuthor =
        """
         AND NOT EXISTS (
            SELECT 1 FROM label AS own
            WHERE own.project_id = item.project_id AND own.span_id = item.span_id AND own.metric_id = item.metric_id AND own.author = @author)
        AND NOT EXISTS (
            SELECT 1 FROM review_reservation AS held
            WHERE held.project_id = item.project_id AND held.span_id = item.span_id AND held.metric_id = item.metric_id
                AND held.until > @now AND held.author <> @author)
        """;

    const string InPlace = " ORDER BY span_id DESC, metric_id DESC LIMIT @limit";
    const string InUrgency = " ORDER BY priority DESC, span_id DESC, metric_id DESC LIMIT @limit";

    /// <summary>The reasons, most urgent first, with the priority that their items show.</summary>
    static readonly (ReviewReason Reason, double Priority)[] Bands =
    [
        (ReviewReason.Adjudicate, 6), (ReviewReason.Disagreement, 5), (ReviewReason.RandomAudit, 4), (ReviewReason.Informative, 3),
        (ReviewReason.Unsure, 2), (ReviewReason.LowScore, 1),
    ];

    /// <summary>Band by band, each read along its index only as far as the page goes.</summary>
    public Task<Page<ReviewItem>> ListAsync(ProjectId project, ReviewFilter filter, CancellationToken ct)
    {
        var start = Place.Parse(filter.Cursor);
        return database.ReadAsync(
            async session =>
            {
                var found = new List<(int Band, Open Item)>();
                for (var band = start.Band; band < Bands.Length && found.Count <= filter.Limit; band++)
                    if (filter.Reason is null || filter.Reason == Bands[band].Reason)
                        foreach (var item in await BandAsync(
                            session, project, filter, band == start.Band ? start : Place.First(band), filter.Limit + 1 - found.Count, ct)
                            .ConfigureAwait(false))
                            found.Add((band, item));
                var more = found.Count > filter.Limit;
                if (more)
                    found.RemoveAt(filter.Limit);
                var spans = await SpansAsync(session, project, [.. found.Select(one => one.Item.Span).Distinct()], ct)
                    .ConfigureAwait(false);
                return new Page<ReviewItem>(
                    [.. found.Where(one => spans.ContainsKey(one.Item.Span)).Select(one => Item(one.Band, one.Item, spans[one.Item.Span]))],
                    more ? new Place(found[^1].Band, found[^1].Item.Priority, found[^1].Item.Span, found[^1].Item.Metric)
                        .ToString() : null);
            },
            ct);
    }

    public Task AddPicksAsync(ProjectId project, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct) =>
        picks.Count == 0
            ? Task.CompletedTask
            : database.WriteAsync(Urgency.Background, session => PutAsync(session, project, picks, at, ct), ct);

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
            new("at", picks.Select(_ => Timestamps.Micros(at)).ToArray()));

    static async Task<List<Open>> BandAsync(
        Session session, ProjectId project, ReviewFilter filter, Place after, int limit, CancellationToken ct)
    {
        var reason = Bands[after.Band].Reason;
        var narrow = (filter.Metric is null ? "" : OfMetric) + (filter.Node is null ? "" : OfNode)
            + (filter.Author is null ? "" : OfAuthor);
        List<(string, object?)> values =
            [("project", project.Value), ("span", after.Span), ("metric_id", after.Metric), ("limit", limit)];
        if (filter.Metric is { } metric)
            values.Add(("metric", metric));
        if (filter.Node is { } node)
            values.Add(("node", node));
        if (filter.Author is { } author)
            values.AddRange([("author", author), ("now", Timestamps.Micros(filter.Now))]);

        var found = await session.QueryAsync(
            Picks + narrow + InUrgency, Open.Read, ct, [.. values, ("reason", Wire.Name(reason)), ("priority", after.Priority)])
            .ConfigureAwait(false);
        // What no pick orders stands behind the picks.
        if (after.Priority > 0)
            (values[1], values[2]) = (("span", long.MaxValue), ("metric_id", long.MaxValue));
        if (reason == ReviewReason.Adjudicate)
            found.AddRange(await session.QueryAsync(Adjudications + narrow + InPlace, Open.Read, ct, [.. values]).ConfigureAwait(false));
        if (reason == ReviewReason.Disagreement)
            found.AddRange(await session.QueryAsync(Disagreements + narrow + InPlace, Open.Read, ct, [.. values]).ConfigureAwait(false));
        if (reason is ReviewReason.LowScore or ReviewReason.Unsure)
            found.AddRange(await session.QueryAsync(
                Verdicts + narrow + InPlace, Open.Read, ct,
                [.. values, ("reason", Wire.Name(reason)), ("outcome", reason == ReviewReason.LowScore ? "fail" : "unsure")])
                    .ConfigureAwait(false));
        return [.. found
            .OrderByDescending(item => item.Priority).ThenByDescending(item => item.Span).ThenByDescending(item => item.Metric)
            .DistinctBy(item => (item.Span, item.Metric))
            .Take(limit)];
    }

    static async Task<Dictionary<long, SpanPart>> SpansAsync(Session session, ProjectId project, long[] ids, CancellationToken ct) =>
        ids.Length == 0
            ? []
            : (await session.QueryAsync(
                "SELECT id, trace_id, span_id, node, kind, input, output FROM span WHERE project_id = @project AND id IN (@ids)",
                row => (Id: row.GetInt64(0), Part: new SpanPart(
                    new(row.GetString(1), row.GetString(2)), row.GetString(3), row.Word<NodeKind>(4), row.TextOrNull(5),
                    row.TextOrNull(6))),
                ct, ("project", project.Value), ("ids", ids)).ConfigureAwait(false))
                .ToDictionary(span => span.Id, span => span.Part);

    static ReviewItem Item(int band, Open item, SpanPart span) => new(
        new(item.Span), span.Key, span.Node, span.Kind, span.Input, span.Output, item.MetricName, Bands[band].Reason, item.Detail,
        Bands[band].Priority + (Bands[band].Reason == ReviewReason.Informative ? 0.999 * Math.Clamp(item.Priority, 0, 1) : 0),
        item.Propensity, item.Since)
    {
        MetricId = new(item.Metric),
    };

    /// <summary>
    /// An open item; <paramref name="Priority"/> orders a band's items, <paramref name="Metric"/> 0 asks about the output.
    /// </summary>
    sealed record Open(
        long Span, long Metric, string? MetricName, string Detail, double Priority, double? Propensity, DateTimeOffset Since)
    {
        public static Open Read(DbDataReader row) => new(
            row.GetInt64(0), row.GetInt64(1), row.TextOrNull(2), row.GetString(3), row.GetDouble(4), row.DoubleOrNull(5), row.Moment(6));
    }

    sealed record SpanPart(SpanKey Key, string Node, NodeKind Kind, string? Input, string? Output);

    /// <summary>Place of an item in the queue; within a band all parts fall from one item to the next.</summary>
    readonly record struct Place(int Band, double Priority, long Span, long Metric)
    {
        public static Place First(int band) => new(band, double.MaxValue, long.MaxValue, long.MaxValue);

        public static Place Parse(string? cursor)
        {
            if (cursor is null)
                return First(0);
            var parts = cursor.Split('~');
            if (parts.Length == 4
                && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var band) && band < Bands.Length
                && double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var priority)
                && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var span)
                && long.TryParse(parts[3], NumberStyles.None, CultureInfo.InvariantCulture, out var metric))
                return new(band, priority, span, metric);
            throw new ArgumentException($"'{cursor}' is no cursor of this list: start without one.", nameof(cursor));
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Band}~{Priority:R}~{Span}~{Metric}");
    }
}
