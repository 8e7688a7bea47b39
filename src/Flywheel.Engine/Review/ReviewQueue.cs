using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>Hands the review queue out to people: each item to one of them at a time, if they say who they are.</summary>
public sealed class ReviewQueue(
    IReviewStore review, ISpanStore spans, IMetricStore metrics, ReviewServing serving, MetricReviewService metricReviews,
    AgentVisibility visibility, TimeProvider clock)
{
    /// <summary>Turns in which others may be quicker before a page comes back shorter than there are items.</summary>
    const int Tries = 20;

    /// <summary>Items on one page for an agent.</summary>
    const int MostForAgents = 100;

    /// <summary>A page for a person, the most urgent items first.</summary>
    /// <exception cref="RequestException">
    /// <c>invalid_reason</c>, <c>invalid_reserve</c>, <c>invalid_author</c>, <c>invalid_limit</c>; <c>forbidden</c> if the caller may not
    /// take items.
    /// </exception>
    public async Task<QueuePage> ListAsync(Caller caller, ReviewRequest request, CancellationToken ct)
    {
        var reason = ReviewReasons.Parse(request.Reason);
        if (request.Blind && reason is ReviewReason.LowScore or ReviewReason.Disagreement or ReviewReason.Unsure)
            throw RequestException.BadField("reason",
                $"`reason` is `{request.Reason}`, which tells what the judge said: leave it out, or `blind`.");
        if (request.Reserve is not null && caller.Scope != KeyScope.Admin)
            throw new RequestException(
                RequestErrorKind.Forbidden, "forbidden",
                "`reserve` takes items, which needs a key of scope admin: leave it out to look only.", "reserve");
        var hold = request.Reserve is null ? (TimeSpan?)null : HoldTime.Read("reserve", request.Reserve);
        var author = RequestField.OptionalName("author", request.Author ?? (hold is null ? null : caller.Actor));
        var page = await ServeAsync(
            caller.Project, new(request.Node, request.Metric, reason, request.Cursor, PageSize.Check(request.Limit), author), hold,
            request.Blind, ct);
        return request is { Cursor: null, Node: null, Metric: null, Reason: null }
            ? page with { Due = await metricReviews.DueAsync(caller.Project, ct) }
            : page;
    }

    /// <summary>A page as an agent reads it: nothing tells what a judge said of a blind item, and nothing is taken or changed.</summary>
    /// <exception cref="RequestException"><c>invalid_reason</c>, <c>invalid_limit</c>.</exception>
    public async Task<QueuePage> ListForAgentAsync(Caller caller, ReviewRequest request, CancellationToken ct)
    {
        var limit = PageSize.Check(request.Limit, MostForAgents);
        var (items, next) = await visibility.QueueAsync(
            caller.Project,
            new(request.Node, request.Metric, ReviewReasons.Parse(request.Reason), request.Cursor, limit, Now: clock.GetUtcNow()), ct);
        return new([.. items.Select(item => new QueueItem(item, null))], next);
    }

    /// <summary>Takes an item for a person, or holds it longer.</summary>
    /// <param name="item">As of <see cref="ReviewItemId"/>.</param>
    /// <param name="author">Null for the caller.</param>
    /// <param name="time">Such as <c>90s</c>, <c>10m</c> or <c>1h</c>; null for 10 minutes.</param>
    /// <exception cref="RequestException">
    /// <c>unknown_item</c>, <c>invalid_author</c>, <c>invalid_for</c>; <c>reserved</c> if another holds it.
    /// </exception>
    public async Task<Reservation> ReserveAsync(Caller caller, string item, string? author, string? time, CancellationToken ct)
    {
        var pair = await FindAsync(caller.Project, item, ct);
        var person = RequestField.Name("author", author ?? caller.Actor);
        var now = clock.GetUtcNow();
        var until = now + (time is null ? HoldTime.Default : HoldTime.Read("for", time));
        var held = (await review.ReserveAsync(caller.Project, [pair], person, now, until, ct))[0];
        return held.Author == person
            ? held
            : throw new RequestException(
                RequestErrorKind.Conflict, "reserved", $"{held.Author} has taken this item until {held.Until:u}: take another, or wait.")
            {
                Details = new Dictionary<string, object?> { ["reserved_by"] = held.Author, ["reserved_until"] = held.Until },
            };
    }

    /// <summary>Gives an item back.</summary>
    /// <param name="item">As of <see cref="ReviewItemId"/>.</param>
    /// <param name="author">Null for the caller.</param>
    /// <exception cref="RequestException"><c>unknown_item</c>; <c>unknown_reservation</c> if the person does not hold it.</exception>
    public async Task ReleaseAsync(Caller caller, string item, string? author, CancellationToken ct)
    {
        var pair = await FindAsync(caller.Project, item, ct);
        var person = author ?? caller.Actor;
        if (!await review.ReleaseAsync(caller.Project, pair, person, ct))
            throw RequestException.NotFound("reservation", $"{person} does not hold the item `{item}`.", "item");
    }

    async Task<ReviewPair> FindAsync(ProjectId project, string item, CancellationToken ct) =>
        ReviewItemId.Parse(item) is { } pair && (await spans.GetAsync(project, [pair.Span], ct)).Count == 1
        && (pair.Metric.Value == 0 || (await metrics.ListAsync(project, ct)).Any(metric => metric.Id == pair.Metric))
            ? pair
            : throw RequestException.NotFound(
                "item", $"There is no item `{item}` in this project: take an `id` of the review queue.", "item");

    async Task<QueuePage> ServeAsync(ProjectId project, ReviewFilter filter, TimeSpan? hold, bool blind, CancellationToken ct)
    {
        for (var turn = 1; ; turn++)
        {
            var now = clock.GetUtcNow();
            var page = await review.ListAsync(project, filter with { Now = now }, ct);
            var pairs = page.Items.Select(PairOf).Distinct().ToArray();
            var held = (hold is { } time
                ? await review.ReserveAsync(project, pairs, filter.Author!, now, now + time, ct)
                : await review.ReservationsAsync(project, pairs, now, ct)).ToDictionary(each => each.Pair);
            var items = hold is null ? page.Items : [.. page.Items.Where(item => held[PairOf(item)].Author == filter.Author)];
            if (items.Count == 0 && page.Items.Count > 0 && turn < Tries)
                continue;
            var served = await serving.ServeAsync(project, items, blind, ct);
            return new([.. served.Select(each => new QueueItem(each, held.GetValueOrDefault(PairOf(each.Item))))], page.Next);
        }
    }

    static ReviewPair PairOf(ReviewItem item) => new(item.Span, item.MetricId);
}
