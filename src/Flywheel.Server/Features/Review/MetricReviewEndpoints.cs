using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Review;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Review;

/// <param name="Evidence">What the person could see then.</param>
public sealed record MetricReviewView(
    int Number, int Version, string Decision, string? Note, string Author, DateTimeOffset At, JsonElement Evidence)
{
    public static MetricReviewView Of(PastReview it) => new(
        it.Review.Number, it.Version, Wire.Name(it.Review.Decision), it.Review.Note, it.Review.Author, it.Review.At,
        JsonElement.Parse(it.Review.Evidence));
}

/// <param name="EveryDays">Days between reviews; 0 is never.</param>
/// <param name="Own">Whether the metric has its own days, not the project's.</param>
/// <param name="DueAt">Null when it never is.</param>
/// <param name="Since">Of the last review, or the metric's first version.</param>
/// <param name="Evidence">Null where it was left out.</param>
/// <param name="Reviews">Newest first; null in lists.</param>
public sealed record MetricScheduleView(
    string Metric, string Criterion, string Kind, int Version, int EveryDays, bool Own, DateTimeOffset? DueAt, bool Due,
    DateTimeOffset Since,
    string? LastDecision, string? LastAuthor, MetricEvidenceView? Evidence = null, IReadOnlyList<MetricReviewView>? Reviews = null)
{
    public static MetricScheduleView Of(MetricToReview it) => new(
        it.Schedule.Metric.Name, it.Schedule.Metric.Criterion, it.Schedule.Metric.Validator.Kind, it.Schedule.Metric.Number,
        it.Schedule.EveryDays,
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
    public static void MapMetricReviews(this IEndpointRouteBuilder api)
    {
        api.MapGet("/metric-reviews", ListAsync).Needs(KeyScope.Read).WithTags("Review")
            .WithSummary("When metrics in code are to be looked at again, the longest due first");
        api.MapPut("/metric-reviews", SetProjectDaysAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("Days between reviews of metrics without their own");
        api.MapGet("/metrics/{name}/reviews", GetAsync).Needs(KeyScope.Read).WithTags("Review")
            .WithSummary("What changed since the last review, and past reviews");
        api.MapPost("/metrics/{name}/reviews", AddAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("Record a review: keep, change or retire").ProducesProblem(400).ProducesProblem(409);
        api.MapPut("/metrics/{name}/reviews", SetDaysAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("The metric's own days between reviews");
    }

    static async Task<Ok<MetricScheduleList>> ListAsync(
        HttpCaller caller, MetricReviewService reviews, CancellationToken ct, bool due = false) =>
        TypedResults.Ok(new MetricScheduleList([.. (await reviews.ListAsync(caller, due, ct)).Select(MetricScheduleView.Of)]));

    static async Task<Ok<MetricScheduleList>> SetProjectDaysAsync(
        Body<ReviewDaysBody> body, HttpCaller caller, MetricReviewService reviews, CancellationToken ct)
    {
        await reviews.SetProjectDaysAsync(caller, body.Value.EveryDays, body.Value.Author, ct);
        return await ListAsync(caller, reviews, ct);
    }

    static async Task<Ok<MetricScheduleView>> GetAsync(string name, HttpCaller caller, MetricReviewService reviews, CancellationToken ct)
    {
        var it = await reviews.GetAsync(caller, name, ct);
        return TypedResults.Ok(MetricScheduleView.Of(it.Metric) with { Reviews = [.. it.Reviews.Select(MetricReviewView.Of)] });
    }

    static async Task<Created<MetricReviewView>> AddAsync(
        string name, Body<MetricReviewBody> body, HttpCaller caller, MetricReviewService reviews, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Created(
            $"/api/v1/metrics/{name}/reviews",
            MetricReviewView.Of(await reviews.AddAsync(caller, name, it.Decision, it.Note, it.Author, ct)));
    }

    static async Task<Ok<MetricScheduleView>> SetDaysAsync(
        string name, Body<ReviewDaysBody> body, HttpCaller caller, MetricReviewService reviews, CancellationToken ct)
    {
        await reviews.SetDaysAsync(caller, name, body.Value.EveryDays, body.Value.Author, ct);
        return await GetAsync(name, caller, reviews, ct);
    }
}
