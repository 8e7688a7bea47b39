using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <param name="Overdue">True when the day has come.</param>
/// <param name="Evidence">Null where it was not asked for.</param>
public sealed record MetricToReview(MetricSchedule Schedule, bool Overdue, MetricEvidence? Evidence);

/// <summary>Puts metrics in code before people again, with what has changed meanwhile. Judges have alignment instead.</summary>
public sealed class MetricReviewing(IFlywheelStore store, TimeProvider clock)
{
    /// <summary>How long the queue shows the same evidence.</summary>
    static readonly TimeSpan _kept = TimeSpan.FromMinutes(10);

    /// <summary>Metrics of the queue with evidence; the rest are named only.</summary>
    const int MostWithEvidence = 10;

    readonly ConcurrentDictionary<(ProjectId, MetricId), (DateTimeOffset At, DateTimeOffset Since, MetricEvidence Evidence)> _evidence = new();

    /// <summary>Active metrics in code, the longest due first, without evidence.</summary>
    public async Task<IReadOnlyList<MetricToReview>> SchedulesAsync(ProjectId project, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return [.. (await store.MetricReviews.SchedulesAsync(project, ct))
            .Where(schedule => IsCode(schedule.Metric))
            .OrderBy(schedule => schedule.DueAt ?? DateTimeOffset.MaxValue).ThenBy(schedule => schedule.Metric.Name, StringComparer.Ordinal)
            .Select(schedule => new MetricToReview(schedule, schedule.DueAt <= now, null))];
    }

    /// <summary>Those that are due, with evidence no older than ten minutes.</summary>
    public async Task<IReadOnlyList<MetricToReview>> DueAsync(ProjectId project, CancellationToken ct)
    {
        var due = (await SchedulesAsync(project, ct)).Where(metric => metric.Overdue).ToArray();
        for (var i = 0; i < Math.Min(due.Length, MostWithEvidence); i++)
            due[i] = due[i] with { Evidence = await KeptAsync(project, due[i].Schedule, ct) };
        return due;
    }

    /// <summary>One metric with evidence as of now; null when it is not active or no code.</summary>
    public async Task<MetricToReview?> OneAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        (await SchedulesAsync(project, ct)).FirstOrDefault(each => each.Schedule.Metric.Id == metric) is { } found
            ? found with { Evidence = await EvidenceAsync(project, found.Schedule, ct) }
            : null;

    /// <summary>Webhooks and plug-ins are code too: only what asks a model is a judge.</summary>
    public static bool IsCode(Metric metric) => metric.Validator.Kind is not ("judge" or "evaluator.model");

    async Task<MetricEvidence> KeptAsync(ProjectId project, MetricSchedule schedule, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var key = (project, schedule.Metric.Id);
        if (_evidence.TryGetValue(key, out var kept) && kept.Since == schedule.Since && now - kept.At < _kept)
            return kept.Evidence;
        var evidence = await EvidenceAsync(project, schedule, ct);
        _evidence[key] = (now, schedule.Since, evidence);
        return evidence;
    }

    async Task<MetricEvidence> EvidenceAsync(ProjectId project, MetricSchedule schedule, CancellationToken ct)
    {
        var newest = new SpanId(long.MaxValue);
        var then = await store.MetricReviews.CheckedAsync(
            project, schedule.Metric, new(0), schedule.Last?.Newest ?? newest, newest: schedule.Last is not null, MetricEvidence.SampleSize, ct);
        // Before a first review there is no "since": the newest texts are compared with the oldest, none in both.
        var after = schedule.Last?.Newest ?? (then.Count == 0 ? new(0) : then[^1].Span);
        var now = await store.MetricReviews.CheckedAsync(project, schedule.Metric, after, newest, newest: true, MetricEvidence.SampleSize, ct);
        // The same data give the same numbers.
        return MetricEvidence.Of(then, now, new Random((int)schedule.Metric.Id.Value));
    }
}
