using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;

namespace Flywheel.Engine.Review;

/// <param name="Held">By whom and until when; null when nobody holds it.</param>
public sealed record DeskItem(ServedItem Served, Reservation? Held);

public sealed record DeskPage(IReadOnlyList<DeskItem> Items, string? Next);

/// <summary>Hands the review queue out to people: each item to one of them at a time, where they say who they are.</summary>
public sealed class ReviewQueue(IFlywheelStore store, ReviewServing serving, TimeProvider clock)
{
    /// <summary>Turns in which others may be quicker before a page comes back shorter than there are items.</summary>
    const int Tries = 20;

    /// <param name="filter">With an author it leaves out what they labelled and what others hold.</param>
    /// <param name="hold">For how long the author takes what is returned; null takes nothing.</param>
    /// <param name="blind">Nothing on the page tells what a judge said.</param>
    public async Task<DeskPage> ServeAsync(ProjectId project, ReviewFilter filter, TimeSpan? hold, bool blind, CancellationToken ct)
    {
        if (hold is not null && filter.Author is null)
            throw new ArgumentException("Items are taken by somebody.", nameof(filter));
        for (var turn = 1; ; turn++)
        {
            var now = clock.GetUtcNow();
            var page = await store.Review.ListAsync(project, filter with { Now = now }, ct);
            var pairs = page.Items.Select(PairOf).Distinct().ToArray();
            var held = (hold is { } time
                ? await store.Review.ReserveAsync(project, pairs, filter.Author!, now, now + time, ct)
                : await store.Review.ReservationsAsync(project, pairs, now, ct)).ToDictionary(each => each.Pair);
            var items = hold is null ? page.Items : [.. page.Items.Where(item => held[PairOf(item)].Author == filter.Author)];
            if (items.Count == 0 && page.Items.Count > 0 && turn < Tries)
                continue;
            var served = await serving.ServeAsync(project, items, blind, ct);
            return new DeskPage([.. served.Select(each => new DeskItem(each, held.GetValueOrDefault(PairOf(each.Item))))], page.Next);
        }
    }

    static ReviewPair PairOf(ReviewItem item) => new(item.Span, item.MetricId);
}
