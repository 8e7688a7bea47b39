using Flywheel.Engine.Jobs;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Since">Only spans that started at or after this time.</param>
/// <param name="Limit">Ends after so many pairs of span and metric.</param>
public sealed record BackfillBody(DateTimeOffset? Since = null, long? Limit = null, string? Author = null);

/// <param name="State"><c>running</c> while past spans are walked, <c>working</c> while their jobs wait, then <c>done</c>.</param>
/// <param name="Total">Spans that there were at its start; <paramref name="Looked"/> of them have been looked at.</param>
/// <param name="Waiting">Jobs of this metric version that wait.</param>
public sealed record BackfillView(
    string Metric, int Version, string State, DateTimeOffset? Since, long? Limit, long Total, long Looked, long Queued, long Skipped,
    long Waiting, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string Author)
{
    public static BackfillView Of(BackfillProgress progress)
    {
        var (metric, fill, waiting) = progress;
        return new(
            metric.Name, metric.Number, fill.FinishedAt is null ? "running" : waiting > 0 ? "working" : "done", fill.Since, fill.Wanted,
            fill.Total, fill.Looked, fill.Queued, fill.Skipped, waiting, fill.CreatedAt, fill.FinishedAt, fill.Author);
    }
}
