using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Engine.Review;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Review;

/// <param name="Verdict"><c>pass</c> or <c>fail</c>.</param>
public sealed record SuggestionView(string Verdict, string? Critique, double? Confidence, string ValidatorVersion);

/// <param name="Metric">Null when the output itself is to be confirmed or corrected.</param>
/// <param name="Reason">Why a person should look; <c>blind</c> where the reason would tell what the judge said.</param>
/// <param name="Served"><c>blind</c> or <c>suggested</c>; null when no judge has decided.</param>
/// <param name="Suggestion">What the judge said, to accept or edit; null on blind items.</param>
public sealed record ReviewItemView(
    string TraceId, string SpanId, string Node, string Kind, string? Input, string? Output, string? Metric, string Reason, string Detail,
    double Priority, double? Propensity, DateTimeOffset Since, string? Served = null, SuggestionView? Suggestion = null)
{
    public static ReviewItemView Of(ServedItem served) => Of(served.Item) with
    {
        Reason = served.Mode == ServedMode.Blind && served.Item.Reason is (ReviewReason.LowScore or ReviewReason.Disagreement)
            ? "blind" : ReviewReasons.Name(served.Item.Reason),
        Served = served.Mode is { } mode ? Wire.Name(mode) : null,
        Suggestion = served.Suggestion is { } it ? new(Wire.Name(it.Verdict), it.Critique, it.Confidence, it.ValidatorVersion) : null,
    };

    static ReviewItemView Of(ReviewItem item) => new(
        item.Key.Trace, item.Key.Span, item.Node, Wire.Name(item.Kind), item.Input, item.Output, item.Metric, ReviewReasons.Name(item.Reason),
        item.Detail, item.Priority, item.Propensity, item.Since);
}

public sealed record ReviewList(IReadOnlyList<ReviewItemView> Items, string? Next);

static class ReviewReasons
{
    public static string Name(ReviewReason reason) => reason switch
    {
        ReviewReason.LowScore => "low-score",
        ReviewReason.RandomAudit => "random-audit",
        _ => Wire.Name(reason),
    };

    public static ReviewReason Parse(string name)
    {
        foreach (var reason in Enum.GetValues<ReviewReason>())
            if (Name(reason) == name)
                return reason;
        throw ApiException.BadField("reason", $"`reason` is `{name}`: use {string.Join(", ", Enum.GetValues<ReviewReason>().Select(Name))}.");
    }
}

static class ReviewEndpoints
{
    public static void MapReview(this IEndpointRouteBuilder api) =>
        api.MapGet("/review", ListAsync).Needs(KeyScope.Read).WithTags("Review").WithSummary("What people should look at, most urgent first");

    static async Task<Ok<ReviewList>> ListAsync(
        Caller caller, IFlywheelStore store, ReviewServing serving, CancellationToken ct,
        string? node = null, string? metric = null, string? reason = null, string? cursor = null, int limit = 50)
    {
        var filter = new ReviewFilter(node, metric, reason is null ? null : ReviewReasons.Parse(reason), cursor, Paging.Limit(limit));
        var page = await store.Review.ListAsync(caller.Project, filter, ct);
        return TypedResults.Ok(new ReviewList([.. (await serving.ServeAsync(caller.Project, page.Items, ct)).Select(ReviewItemView.Of)], page.Next));
    }
}
