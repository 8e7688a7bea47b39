using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Review;

/// <param name="Metric">Null when the output itself is to be confirmed or corrected.</param>
public sealed record ReviewItemView(
    string TraceId, string SpanId, string Node, string Kind, string? Input, string? Output, string? Metric, string Reason, string Detail,
    double Priority, double? Propensity, DateTimeOffset Since)
{
    public static ReviewItemView Of(ReviewItem item) => new(
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
        Caller caller, IFlywheelStore store, CancellationToken ct,
        string? node = null, string? metric = null, string? reason = null, string? cursor = null, int limit = 50)
    {
        var filter = new ReviewFilter(node, metric, reason is null ? null : ReviewReasons.Parse(reason), cursor, Paging.Limit(limit));
        var page = await store.Review.ListAsync(caller.Project, filter, ct);
        return TypedResults.Ok(new ReviewList([.. page.Items.Select(ReviewItemView.Of)], page.Next));
    }
}
