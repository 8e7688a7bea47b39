using System.Collections.Concurrent;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>Puts metrics in code before people again, with what has changed meanwhile. Judges have alignment instead.</summary>
public sealed class MetricReviewService(IMetricReviewStore reviews, IMetricStore metrics, TimeProvider clock)
{
    /// <summary>How long the queue shows the same evidence.</summary>
    static readonly TimeSpan Kept = TimeSpan.FromMinutes(10);

    /// <summary>Metrics of the queue with evidence; the rest are named only.</summary>
    const int MostWithEvidence = 10;

    /// <summary>Characters of a note.</summary>
    const int MostNote = 10_000;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    readonly ConcurrentDictionary<(ProjectId, MetricId), (DateTimeOffset At, DateTimeOffset Since, MetricEvidence Evidence)> _evidence =
        new();

    /// <summary>Active metrics in code, the longest due first; those that are due with evidence, if only they are asked for.</summary>
    public Task<IReadOnlyList<MetricToReview>> ListAsync(Caller caller, bool due, CancellationToken ct) =>
        due ? DueAsync(caller.Project, ct) : SchedulesAsync(caller.Project, ct);

    /// <summary>One metric with evidence as of now, and its past reviews.</summary>
    /// <exception cref="RequestException"><c>unknown_metric</c>; <c>not_reviewed</c> if it is not active or no code.</exception>
    public async Task<MetricReviewHistory> GetAsync(Caller caller, string name, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        var found = await FindAsync(metric, ct);
        var numbers = (await metrics.VersionsAsync(caller.Project, name, ct))
            .ToDictionary(version => version.VersionId, version => version.Number);
        return new(
            found,
            [.. (await reviews.ListAsync(caller.Project, metric.Id, ct))
                .Select(review => new PastReview(review, numbers.GetValueOrDefault(review.Version)))]);
    }

    /// <summary>Records a person's review of a metric; <c>retire</c> retires it.</summary>
    /// <param name="decision"><c>keep</c>, <c>change</c> or <c>retire</c>.</param>
    /// <param name="author">Null for the caller.</param>
    /// <exception cref="RequestException">
    /// <c>invalid_decision</c>, <c>invalid_note</c>, <c>invalid_author</c>, <c>unknown_metric</c>; <c>not_reviewed</c> if it is not active
    /// or no code.
    /// </exception>
    public async Task<PastReview> AddAsync(Caller caller, string name, string? decision, string? note, string? author, CancellationToken ct)
    {
        var decided = Wire.Choice<MetricDecision>("decision", decision)
            ?? throw RequestException.BadField("decision", $"`decision` is missing: use {Wire.Choices<MetricDecision>()}.");
        if (note is { Length: > MostNote })
            throw RequestException.BadField("note", $"`note` has {note.Length} characters; the limit is {MostNote}.");
        var person = PersonOf(caller, author);
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        var seen = MetricEvidenceView.Of((await FindAsync(metric, ct)).Evidence!);
        var review = await reviews.AddAsync(
            caller.Project, metric, decided, note, JsonSerializer.Serialize(seen, Json), person, clock.GetUtcNow(), ct);
        return new(review, metric.Number);
    }

    /// <summary>Sets the days between reviews of metrics without their own.</summary>
    /// <param name="days">1 to 3650; 0 is never.</param>
    /// <param name="author">Null for the caller.</param>
    /// <exception cref="RequestException"><c>invalid_every_days</c>, <c>invalid_author</c>.</exception>
    public Task SetProjectDaysAsync(Caller caller, int? days, string? author, CancellationToken ct) => reviews.SetProjectDaysAsync(
        caller.Project,
        CheckDays(days) ?? throw RequestException.BadField("every_days", "`every_days` is missing: give a number of days, or 0 for never."),
        PersonOf(caller, author), clock.GetUtcNow(), ct);

    /// <summary>Sets the metric's own days between reviews.</summary>
    /// <param name="days">1 to 3650; 0 is never; null follows the project.</param>
    /// <param name="author">Null for the caller.</param>
    /// <exception cref="RequestException">
    /// <c>invalid_every_days</c>, <c>unknown_metric</c>, <c>invalid_author</c>; <c>not_reviewed</c> if it is not active or no code.
    /// </exception>
    public async Task SetDaysAsync(Caller caller, string name, int? days, string? author, CancellationToken ct)
    {
        CheckDays(days);
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        await FindAsync(metric, ct);
        await reviews.SetDaysAsync(caller.Project, metric.Id, days, PersonOf(caller, author), clock.GetUtcNow(), ct);
    }

    async Task<IReadOnlyList<MetricToReview>> SchedulesAsync(ProjectId project, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        return [.. (await reviews.SchedulesAsync(project, ct))
            .Where(schedule => IsCode(schedule.Metric))
            .OrderBy(schedule => schedule.DueAt ?? DateTimeOffset.MaxValue).ThenBy(schedule => schedule.Metric.Name, StringComparer.Ordinal)
            .Select(schedule => new MetricToReview(schedule, schedule.DueAt <= now, null))];
    }

    /// <summary>Active metrics in code that are due, with evidence no older than ten minutes.</summary>
    public async Task<IReadOnlyList<MetricToReview>> DueAsync(ProjectId project, CancellationToken ct)
    {
        var due = (await SchedulesAsync(project, ct)).Where(metric => metric.Overdue).ToArray();
        for (var i = 0; i < Math.Min(due.Length, MostWithEvidence); i++)
            due[i] = due[i] with { Evidence = await KeptAsync(project, due[i].Schedule, ct) };
        return due;
    }

    async Task<MetricToReview> FindAsync(Metric metric, CancellationToken ct) =>
        (await SchedulesAsync(metric.Project, ct)).FirstOrDefault(each => each.Schedule.Metric.Id == metric.Id) is { } found
            ? found with { Evidence = await EvidenceAsync(metric.Project, found.Schedule, ct) }
            : throw new RequestException(
                RequestErrorKind.Conflict, "not_reviewed",
                IsCode(metric)
                    ? $"`{metric.Name}` is {Wire.Name(metric.State)}: only active metrics are reviewed."
                    : $"`{metric.Name}` asks a model: judges are looked after in /api/v1/metrics/{metric.Name}/alignment.",
                "name");

    static int? CheckDays(int? days) => days is null or (>= 0 and <= 3650)
        ? days
        : throw RequestException.BadField("every_days", $"`every_days` is {days}: give 1 to 3650 days, or 0 for never.");

    static string PersonOf(Caller caller, string? author) => RequestField.OptionalName("author", author) ?? caller.Actor;

    /// <summary>Webhooks and plug-ins are code too: only what asks a model is a judge.</summary>
    static bool IsCode(Metric metric) => metric.Validator.Kind is not ("judge" or "evaluator.model");

    async Task<MetricEvidence> KeptAsync(ProjectId project, MetricSchedule schedule, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var key = (project, schedule.Metric.Id);
        if (_evidence.TryGetValue(key, out var kept) && kept.Since == schedule.Since && now - kept.At < Kept)
            return kept.Evidence;
        var evidence = await EvidenceAsync(project, schedule, ct);
        _evidence[key] = (now, schedule.Since, evidence);
        return evidence;
    }

    async Task<MetricEvidence> EvidenceAsync(ProjectId project, MetricSchedule schedule, CancellationToken ct)
    {
        var newest = new SpanId(long.MaxValue);
        var then = await reviews.CheckedAsync(
            project, schedule.Metric, new(0), schedule.Last?.Newest ?? newest, newest: schedule.Last is not null,
            MetricEvidence.SampleSize, ct);
        // Before a first review there is no "since": the newest texts are compared with the oldest, none in both.
        var after = schedule.Last?.Newest ?? (then.Count == 0 ? new(0) : then[^1].Span);
        var now = await reviews.CheckedAsync(project, schedule.Metric, after, newest, newest: true, MetricEvidence.SampleSize, ct);
        // The same data give the same numbers.
        return MetricEvidence.Of(then, now, new Random((int)schedule.Metric.Id.Value));
    }
}
