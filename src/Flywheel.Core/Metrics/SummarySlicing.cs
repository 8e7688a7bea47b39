using System.Globalization;

namespace Flywheel.Core.Metrics;

/// <summary>Which part of a metric's counts a summary is about, and into which slices it is cut.</summary>
/// <remarks>Buckets are made of whole UTC hours, the finest that is counted; weeks begin on Monday.</remarks>
/// <param name="From">Spans that started in this hour or later; null for no bound.</param>
/// <param name="To">Spans that started in an hour before this time; null for no bound.</param>
/// <param name="Bucket">Null when time is not cut.</param>
public sealed record SummarySlicing(bool ByNode, TimeSpan? Bucket, string? Node, DateTimeOffset? From, DateTimeOffset? To)
{
    /// <summary>Each slice has a posterior of its own, which takes about 5 ms.</summary>
    const int Most = 200;

    /// <exception cref="RequestException">A word cannot be read.</exception>
    public static SummarySlicing Parse(SummaryCut cut)
    {
        var (by, bucket, node, from, to) = cut;
        var parts = by is null ? [] : by.Split(',', StringSplitOptions.TrimEntries);
        if (parts.FirstOrDefault(part => part is not ("node" or "time")) is { } unknown)
            throw RequestException.BadField("by", $"`by` is `{unknown}`: use node, time or node,time.");
        if (bucket is not null && !parts.Contains("time"))
            throw RequestException.BadField("bucket", "`bucket` says how long a slice of time is: add `by=time`.");
        TimeSpan? length = !parts.Contains("time") ? null : bucket switch
        {
            "hour" => TimeSpan.FromHours(1),
            null or "day" => TimeSpan.FromDays(1),
            "week" => TimeSpan.FromDays(7),
            _ => throw RequestException.BadField("bucket", $"`bucket` is `{bucket}`: use hour, day or week."),
        };
        return new SummarySlicing(parts.Contains("node"), length, node, Time("from", from), Time("to", to));
    }

    public bool Holds(MetricCell cell) =>
        (Node is null || cell.Node == Node) && (From is null || cell.Bucket.AddHours(1) > From) && (To is null || cell.Bucket < To);

    /// <summary>Null when no slices were asked for; else by node, then by time.</summary>
    public IReadOnlyList<RateSlice>? Cut(IReadOnlyCollection<MetricCell> cells) => !ByNode && Bucket is null
        ? null
        : [.. Slices(cells).Select(slice => new RateSlice(slice.Key.Node, slice.Key.From, TrueRates.Of(slice)))];

    /// <summary>By node, then by time.</summary>
    public IReadOnlyList<IGrouping<(string? Node, DateTimeOffset? From), MetricCell>> Slices(IEnumerable<MetricCell> cells)
    {
        var slices = cells.GroupBy(cell => (Node: ByNode ? cell.Node : null, From: Start(cell.Bucket)))
            .OrderBy(group => group.Key.Node, StringComparer.Ordinal).ThenBy(group => group.Key.From)
            .ToArray();
        if (slices.Length > Most)
            throw RequestException.BadField("bucket",
                $"That makes {slices.Length} slices, more than {Most}: take a longer `bucket`, or narrow `from`, `to` or `node`.");
        return slices;
    }

    DateTimeOffset? Start(DateTimeOffset hour)
    {
        if (Bucket is not { } length)
            return null;
        // The first day of the calendar, 0001-01-01, was a Monday.
        return new DateTimeOffset(hour.UtcTicks - hour.UtcTicks % length.Ticks, TimeSpan.Zero);
    }

    static DateTimeOffset? Time(string field, string? text) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw RequestException.BadField(field, $"`{field}` is `{text}`, no ISO-8601 time such as 2026-01-31T12:00:00Z.");
}
