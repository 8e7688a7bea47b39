using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Review;

public sealed record EvidenceSpanView(string TraceId, string SpanId);

/// <param name="Then">The newest texts at the last review; before the first one the metric's oldest.</param>
/// <param name="TextsDifferP">p-value; null with fewer than 20 texts of either time.</param>
/// <param name="Changes">In words; empty when nothing is seen to have changed.</param>
public sealed record MetricEvidenceView(
    EvidenceSample Then, EvidenceSample Now, int Labelled, IReadOnlyList<EvidenceSpanView> Contradicted, double? TextsDifferP, IReadOnlyList<string> Changes)
{
    public static MetricEvidenceView Of(MetricEvidence evidence) => new(
        evidence.Then, evidence.Now, evidence.Labelled, [.. evidence.Contradicted.Select(key => new EvidenceSpanView(key.Trace, key.Span))],
        evidence.TextsDifferP, evidence.Changes);
}

/// <param name="Evidence">What the person could see then.</param>
public sealed record MetricReviewView(int Number, int Version, string Decision, string? Note, string Author, DateTimeOffset At, JsonElement Evidence);

/// <param name="EveryDays">Days between reviews; 0 is never.</param>
/// <param name="Own">Whether the metric has its own days, not the project's.</param>
/// <param name="DueAt">Null when it never is.</param>
/// <param name="Since">Of the last review, or the metric's first version.</param>
/// <param name="Evidence">Null where it was left out.</param>
/// <param name="Reviews">Newest first; null in lists.</param>
public sealed record MetricScheduleView(
    string Metric, string Criterion, string Kind, int Version, int EveryDays, bool Own, DateTimeOffset? DueAt, bool Due, DateTimeOffset Since,
    string? LastDecision, string? LastAuthor, MetricEvidenceView? Evidence = null, IReadOnlyList<MetricReviewView>? Reviews = null)
{
    public static MetricScheduleView Of(MetricToReview it) => new(
        it.Schedule.Metric.Name, it.Schedule.Metric.Criterion, it.Schedule.Metric.Validator.Kind, it.Schedule.Metric.Number, it.Schedule.EveryDays,
        it.Schedule.Own, it.Schedule.DueAt, it.Overdue, it.Schedule.Since, it.Schedule.Last is { } last ? Wire.Name(last.Decision) : null,
        it.Schedule.Last?.Author, it.Evidence is { } evidence ? MetricEvidenceView.Of(evidence) : null);
}

public sealed record MetricScheduleList(IReadOnlyList<MetricScheduleView> Metrics);

/// <param name="Decision"><c>keep</c>, <c>change</c> or <c>retire</c>.</param>
public sealed record MetricReviewBody(string? Decision, string? Note = null, string? Author = null);

/// <param name="EveryDays">1 to 3650; 0 is never; null follows the project.</param>
public sealed record ReviewDaysBody(int? EveryDays = null, string? Author = null);

/// <summary>Metrics in code come before people again, with what changed since.</summary>
static class MetricReviewEndpoints
{
    const int MostNote = 10_000;

    public static void MapMetricReviews(this IEndpointRouteBuilder api)
    {
        api.MapGet("/metric-reviews", ListAsync).Needs(KeyScope.Read).WithTags("Review").WithSummary("When metrics in code are to be looked at again, the longest due first");
        api.MapPut("/metric-reviews", SetProjectDaysAsync).Needs(KeyScope.Admin).WithTags("Review").WithSummary("Days between reviews of metrics without their own");
        api.MapGet("/metrics/{name}/reviews", GetAsync).Needs(KeyScope.Read).WithTags("Review").WithSummary("What changed since the last review, and past reviews");
        api.MapPost("/metrics/{name}/reviews", AddAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("Record a review: keep, change or retire").ProducesProblem(400).ProducesProblem(409);
        api.MapPut("/metrics/{name}/reviews", SetDaysAsync).Needs(KeyScope.Admin).WithTags("Review").WithSummary("The metric's own days between reviews");
    }

    static async Task<Ok<MetricScheduleList>> ListAsync(HttpCaller caller, MetricReviewing reviewing, CancellationToken ct, bool due = false) =>
        TypedResults.Ok(new MetricScheduleList(
            [.. (due ? await reviewing.DueAsync(caller.Project, ct) : await reviewing.SchedulesAsync(caller.Project, ct)).Select(MetricScheduleView.Of)]));

    static async Task<Ok<MetricScheduleList>> SetProjectDaysAsync(
        Body<ReviewDaysBody> body, HttpCaller caller, MetricReviewing reviewing, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var days = CheckDays(body.Value.EveryDays) ?? throw RequestException.BadField("every_days", "`every_days` is missing: give a number of days, or 0 for never.");
        await store.MetricReviews.SetProjectDaysAsync(caller.Project, days, Author(body.Value.Author, caller), clock.GetUtcNow(), ct);
        return await ListAsync(caller, reviewing, ct);
    }

    static async Task<Ok<MetricScheduleView>> GetAsync(
        string name, HttpCaller caller, MetricReviewing reviewing, IFlywheelStore store, CancellationToken ct)
    {
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        var schedule = await FindAsync(metric, caller, reviewing, ct);
        var versions = (await store.Metrics.VersionsAsync(caller.Project, name, ct)).ToDictionary(version => version.VersionId, version => version.Number);
        var reviews = (await store.MetricReviews.ListAsync(caller.Project, metric.Id, ct)).Select(review => new MetricReviewView(
            review.Number, versions.GetValueOrDefault(review.Version), Wire.Name(review.Decision), review.Note, review.Author, review.At,
            JsonElement.Parse(review.Evidence)));
        return TypedResults.Ok(MetricScheduleView.Of(schedule) with { Reviews = [.. reviews] });
    }

    static async Task<Created<MetricReviewView>> AddAsync(
        string name, Body<MetricReviewBody> body, HttpCaller caller, MetricReviewing reviewing, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var decision = body.Value.Decision is { } word
            ? Wire.Parse<MetricDecision>(word) ?? throw RequestException.BadField("decision", $"`decision` is `{word}`: use {Wire.Choices<MetricDecision>()}.")
            : throw RequestException.BadField("decision", $"`decision` is missing: use {Wire.Choices<MetricDecision>()}.");
        if (body.Value.Note is { Length: > MostNote })
            throw RequestException.BadField("note", $"`note` has {body.Value.Note.Length} characters; the limit is {MostNote}.");
        var author = Author(body.Value.Author, caller);
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        var seen = MetricEvidenceView.Of((await FindAsync(metric, caller, reviewing, ct)).Evidence!);
        var review = await store.MetricReviews.AddAsync(
            caller.Project, metric, decision, body.Value.Note, JsonSerializer.Serialize(seen, Output), author, clock.GetUtcNow(), ct);
        return TypedResults.Created($"/api/v1/metrics/{name}/reviews", new MetricReviewView(
            review.Number, metric.Number, Wire.Name(review.Decision), review.Note, review.Author, review.At, JsonElement.Parse(review.Evidence)));
    }

    static async Task<Ok<MetricScheduleView>> SetDaysAsync(
        string name, Body<ReviewDaysBody> body, HttpCaller caller, MetricReviewing reviewing, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var days = CheckDays(body.Value.EveryDays);
        var metric = await store.Metrics.GetAsync(caller.Project, name, ct);
        await FindAsync(metric, caller, reviewing, ct);
        await store.MetricReviews.SetDaysAsync(caller.Project, metric.Id, days, Author(body.Value.Author, caller), clock.GetUtcNow(), ct);
        return await GetAsync(name, caller, reviewing, store, ct);
    }

    static JsonSerializerOptions Output { get; } = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    static async Task<MetricToReview> FindAsync(Metric metric, HttpCaller caller, MetricReviewing reviewing, CancellationToken ct) =>
        await reviewing.OneAsync(caller.Project, metric.Id, ct) ?? throw new RequestException(RequestErrorKind.Conflict, "not_reviewed", MetricReviewing.IsCode(metric)
            ? $"`{metric.Name}` is {Wire.Name(metric.State)}: only active metrics are reviewed."
            : $"`{metric.Name}` asks a model: judges are looked after in /api/v1/metrics/{metric.Name}/alignment.", "name");

    static int? CheckDays(int? days) => days is null or (>= 0 and <= 3650)
        ? days
        : throw RequestException.BadField("every_days", $"`every_days` is {days}: give 1 to 3650 days, or 0 for never.");

    static string Author(string? author, HttpCaller caller) => author is null
        ? caller.Actor
        : SpanRules.Name(author, SpanRules.MaxNameLength) is { } why ? throw RequestException.BadField("author", $"`author` {why}") : author;
}
