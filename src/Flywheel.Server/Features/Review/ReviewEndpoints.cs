using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Engine.Review;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Review;

/// <param name="Verdict"><c>pass</c> or <c>fail</c>.</param>
/// <param name="Confidence">Probability that a person would agree; null until calibrated.</param>
/// <param name="ValidatorVersion">Of the judge; <c>proposed:AUTHOR</c> for a label that somebody proposed.</param>
/// <param name="RawConfidence">As the judge gave it.</param>
/// <param name="Author">Who proposed it; null when the metric's judge said it.</param>
public sealed record SuggestionView(
    string Verdict, string? Critique, double? Confidence, string ValidatorVersion, double? RawConfidence, string? Author = null);

public sealed record ProposalView(string Author, string Verdict, string Critique, double? Confidence, DateTimeOffset At);

/// <param name="Metric">Null when the output itself is to be confirmed or corrected.</param>
/// <param name="Reason">Why a person should look; <c>blind</c> where the reason would tell what the judge said.</param>
/// <param name="Id">Names the item in <c>/api/v1/review/{item}/reserve</c>.</param>
/// <param name="ReservedBy">Who has taken it until <c>ReservedUntil</c>; null when nobody has.</param>
/// <param name="Served"><c>blind</c> or <c>suggested</c>; null when no judge has decided and nobody has proposed a label.</param>
/// <param name="Suggestion">What the judge said, else what was proposed last, to accept or edit; null on blind items.</param>
/// <param name="Proposals">Labels that agents or people elsewhere proposed, newest first; null on blind items and where there are
/// none.</param>
public sealed record ReviewItemView(
    string TraceId, string SpanId, string Node, string Kind, string? Input, string? Output, string? Metric, string Reason, string Detail,
    double Priority, double? Propensity, DateTimeOffset Since, string Id, string? Served = null, SuggestionView? Suggestion = null,
    string? ReservedBy = null, DateTimeOffset? ReservedUntil = null, IReadOnlyList<ProposalView>? Proposals = null)
{
    public static ReviewItemView Of(QueueItem item) =>
        Of(item.Served) with { ReservedBy = item.Held?.Author, ReservedUntil = item.Held?.Until };

    static ReviewItemView Of(ServedItem served) => Of(served.Item) with
    {
        Reason = served.Mode == ServedMode.Blind && served.Item.Reason is (ReviewReason.LowScore or ReviewReason.Disagreement)
            ? "blind" : ReviewReasons.Name(served.Item.Reason),
        Served = served.Mode is { } mode ? Wire.Name(mode) : null,
        Suggestion = served.Suggestion is { } it
            ? new(Wire.Name(it.Verdict), it.Critique, it.Confidence, it.ValidatorVersion, it.RawConfidence, it.Author) : null,
        Proposals = served.Proposals.Count == 0 ? null
            : [.. served.Proposals.Select(
                each => new ProposalView(each.Author, each.Passed ? "pass" : "fail", each.Critique, each.Confidence, each.CreatedAt))],
    };

    static ReviewItemView Of(ReviewItem item) => new(
        item.Key.Trace, item.Key.Span, item.Node, Wire.Name(item.Kind), item.Input, item.Output, item.Metric,
        ReviewReasons.Name(item.Reason),
        item.Detail, item.Priority, item.Propensity, item.Since, ReviewItemId.Of(new(item.Span, item.MetricId)));
}

/// <param name="Metrics">Metrics in code that are due to be looked at again; on the first page of the whole queue only.</param>
public sealed record ReviewList(IReadOnlyList<ReviewItemView> Items, string? Next, IReadOnlyList<MetricScheduleView>? Metrics = null)
{
    public static ReviewList Of(QueuePage page) =>
        new([.. page.Items.Select(ReviewItemView.Of)], page.Next, page.Due is null ? null : [.. page.Due.Select(MetricScheduleView.Of)]);
}

/// <param name="Author">Who takes it; left out, the caller.</param>
/// <param name="For">For how long, such as <c>90s</c>, <c>10m</c> or <c>1h</c>; 10 minutes when left out.</param>
public sealed record ReserveBody(string? Author = null, string? For = null);

public sealed record ReservationView(string Id, string Author, DateTimeOffset Until);

static class ReviewEndpoints
{
    public static void MapReview(this IEndpointRouteBuilder api)
    {
        api.MapGet("/review", ListAsync).Needs(KeyScope.Read).WithTags("Review")
            .WithSummary("What people should look at, most urgent first");
        api.MapPost("/review/{item}/reserve", ReserveAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("Take an item, or hold it longer: others are not shown it until then").ProducesProblem(404).ProducesProblem(409);
        api.MapDelete("/review/{item}/reserve", ReleaseAsync).Needs(KeyScope.Admin).WithTags("Review").WithSummary("Give an item back")
            .ProducesProblem(404);
    }

    static async Task<Ok<ReviewList>> ListAsync(
        HttpCaller caller, ReviewQueue queue, CancellationToken ct,
        string? node = null, string? metric = null, string? reason = null, string? cursor = null, int limit = 50, string? author = null,
        string? reserve = null, bool blind = false) =>
        TypedResults.Ok(ReviewList.Of(await queue.ListAsync(caller, new(node, metric, reason, cursor, limit, author, reserve, blind), ct)));

    static async Task<Ok<ReservationView>> ReserveAsync(
        string item, Body<ReserveBody> body, HttpCaller caller, ReviewQueue queue, CancellationToken ct)
    {
        var held = await queue.ReserveAsync(caller, item, body.Value.Author, body.Value.For, ct);
        return TypedResults.Ok(new ReservationView(item, held.Author, held.Until));
    }

    static async Task<NoContent> ReleaseAsync(
        string item, HttpCaller caller, ReviewQueue queue, CancellationToken ct, string? author = null)
    {
        await queue.ReleaseAsync(caller, item, author, ct);
        return TypedResults.NoContent();
    }
}
