using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
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
/// <param name="Proposals">Labels that agents or people elsewhere proposed, newest first; null on blind items and where there are none.</param>
public sealed record ReviewItemView(
    string TraceId, string SpanId, string Node, string Kind, string? Input, string? Output, string? Metric, string Reason, string Detail,
    double Priority, double? Propensity, DateTimeOffset Since, string Id, string? Served = null, SuggestionView? Suggestion = null,
    string? ReservedBy = null, DateTimeOffset? ReservedUntil = null, IReadOnlyList<ProposalView>? Proposals = null)
{
    public static ReviewItemView Of(DeskItem item) => Of(item.Served) with { ReservedBy = item.Held?.Author, ReservedUntil = item.Held?.Until };

    internal static ReviewItemView Of(ServedItem served) => Of(served.Item) with
    {
        Reason = served.Mode == ServedMode.Blind && served.Item.Reason is (ReviewReason.LowScore or ReviewReason.Disagreement)
            ? "blind" : ReviewReasons.Name(served.Item.Reason),
        Served = served.Mode is { } mode ? Wire.Name(mode) : null,
        Suggestion = served.Suggestion is { } it
            ? new(Wire.Name(it.Verdict), it.Critique, it.Confidence, it.ValidatorVersion, it.RawConfidence, it.Author) : null,
        Proposals = served.Proposals.Count == 0 ? null
            : [.. served.Proposals.Select(each => new ProposalView(each.Author, each.Passed ? "pass" : "fail", each.Critique, each.Confidence, each.CreatedAt))],
    };

    static ReviewItemView Of(ReviewItem item) => new(
        item.Key.Trace, item.Key.Span, item.Node, Wire.Name(item.Kind), item.Input, item.Output, item.Metric, ReviewReasons.Name(item.Reason),
        item.Detail, item.Priority, item.Propensity, item.Since, ReviewItems.Name(new(item.Span, item.MetricId)));
}

/// <param name="Metrics">Metrics in code that are due to be looked at again; on the first page of the whole queue only.</param>
public sealed record ReviewList(IReadOnlyList<ReviewItemView> Items, string? Next, IReadOnlyList<MetricScheduleView>? Metrics = null);

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
        throw RequestException.BadField("reason", $"`reason` is `{name}`: use {string.Join(", ", Enum.GetValues<ReviewReason>().Select(Name))}.");
    }
}

/// <summary>Items by name: the span's and the metric's numbers; metric 0 asks about the output itself.</summary>
static class ReviewItems
{
    public static string Name(ReviewPair pair) => string.Create(CultureInfo.InvariantCulture, $"{pair.Span.Value}-{pair.Metric.Value}");

    /// <summary>Null when it names no item.</summary>
    public static ReviewPair? Parse(string name) =>
        name.Split('-') is [var span, var metric]
        && long.TryParse(span, NumberStyles.None, CultureInfo.InvariantCulture, out var spanId)
        && long.TryParse(metric, NumberStyles.None, CultureInfo.InvariantCulture, out var metricId)
            ? new(new(spanId), new(metricId))
            : null;
}

/// <param name="Author">Who takes it; left out, the caller.</param>
/// <param name="For">For how long, such as <c>90s</c>, <c>10m</c> or <c>1h</c>; 10 minutes when left out.</param>
public sealed record ReserveBody(string? Author = null, string? For = null);

public sealed record ReservationView(string Id, string Author, DateTimeOffset Until);

static class ReviewEndpoints
{
    static readonly TimeSpan UsualHold = TimeSpan.FromMinutes(10);
    static readonly TimeSpan LongestHold = TimeSpan.FromDays(1);

    public static void MapReview(this IEndpointRouteBuilder api)
    {
        api.MapGet("/review", ListAsync).Needs(KeyScope.Read).WithTags("Review").WithSummary("What people should look at, most urgent first");
        api.MapPost("/review/{item}/reserve", ReserveAsync).Needs(KeyScope.Admin).WithTags("Review")
            .WithSummary("Take an item, or hold it longer: others are not shown it until then").ProducesProblem(404).ProducesProblem(409);
        api.MapDelete("/review/{item}/reserve", ReleaseAsync).Needs(KeyScope.Admin).WithTags("Review").WithSummary("Give an item back").ProducesProblem(404);
    }

    static async Task<Ok<ReviewList>> ListAsync(
        HttpCaller caller, ReviewQueue desk, MetricReviewing reviewing, CancellationToken ct,
        string? node = null, string? metric = null, string? reason = null, string? cursor = null, int limit = 50, string? author = null,
        string? reserve = null, bool blind = false)
    {
        var why = reason is null ? (ReviewReason?)null : ReviewReasons.Parse(reason);
        if (blind && why is ReviewReason.LowScore or ReviewReason.Disagreement or ReviewReason.Unsure)
            throw RequestException.BadField("reason", $"`reason={reason}` tells what the judge said: leave it out, or `blind`.");
        if (reserve is not null && caller.Scope != KeyScope.Admin)
            throw new RequestException(RequestErrorKind.Forbidden, "forbidden", "`reserve` takes items, which needs a key of scope admin: leave it out to look only.", "reserve");
        var hold = reserve is null ? (TimeSpan?)null : Hold("reserve", reserve);
        var who = author ?? (hold is null ? null : caller.Actor);
        CheckAuthor(who);
        var page = await desk.ServeAsync(caller.Project, new ReviewFilter(node, metric, why, cursor, PageSize.Check(limit), who), hold, blind, ct);
        var due = cursor is null && node is null && metric is null && reason is null ? await reviewing.DueAsync(caller.Project, ct) : null;
        return TypedResults.Ok(new ReviewList([.. page.Items.Select(ReviewItemView.Of)], page.Next, due is null ? null : [.. due.Select(MetricScheduleView.Of)]));
    }

    static async Task<Ok<ReservationView>> ReserveAsync(
        string item, Body<ReserveBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var pair = await FindAsync(item, caller, store, ct);
        var author = body.Value.Author ?? caller.Actor;
        CheckAuthor(author);
        var now = clock.GetUtcNow();
        var until = now + (body.Value.For is { } time ? Hold("for", time) : UsualHold);
        var held = (await store.Review.ReserveAsync(caller.Project, [pair], author, now, until, ct))[0];
        return held.Author == author
            ? TypedResults.Ok(new ReservationView(item, held.Author, held.Until))
            : throw new RequestException(RequestErrorKind.Conflict, "reserved", $"{held.Author} has taken this item until {held.Until:u}: take another, or wait.")
            {
                Details = new Dictionary<string, object?> { ["reserved_by"] = held.Author, ["reserved_until"] = held.Until },
            };
    }

    static async Task<NoContent> ReleaseAsync(string item, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? author = null)
    {
        var pair = await FindAsync(item, caller, store, ct);
        return await store.Review.ReleaseAsync(caller.Project, pair, author ?? caller.Actor, ct)
            ? TypedResults.NoContent()
            : throw RequestException.NotFound("reservation", $"{author ?? caller.Actor} does not hold the item `{item}`.", "item");
    }

    static async Task<ReviewPair> FindAsync(string item, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        ReviewItems.Parse(item) is { } pair && (await store.Spans.GetAsync(caller.Project, [pair.Span], ct)).Count == 1
        && (pair.Metric.Value == 0 || (await store.Metrics.ListAsync(caller.Project, ct)).Any(metric => metric.Id == pair.Metric))
            ? pair
            : throw RequestException.NotFound("item", $"There is no item `{item}` in this project: take an `id` from GET /api/v1/review.", "item");

    static void CheckAuthor(string? author)
    {
        if (author is not null && SpanRules.Name(author, SpanRules.MaxNameLength) is { } why)
            throw RequestException.BadField("author", $"`author` {why}");
    }

    /// <summary>A whole number of seconds, minutes or hours.</summary>
    internal static TimeSpan? Duration(string text) =>
        text.Length > 1 && int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? text[^1] switch
            {
                's' => TimeSpan.FromSeconds(number),
                'm' => TimeSpan.FromMinutes(number),
                'h' => TimeSpan.FromHours(number),
                _ => null,
            }
            : null;

    static TimeSpan Hold(string field, string text) =>
        Duration(text) is { } time && time > TimeSpan.Zero && time <= LongestHold
            ? time
            : throw RequestException.BadField(field, $"`{field}` is `{text}`: write a time such as 90s, 10m or 1h, at most 24h.");
}
