using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class ReviewConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static Verdict ByModel(Verdict verdict) => verdict with { Finding = verdict.Finding with { Model = "m" } };

    async Task<(bool? Human, double Chance)> CellAsync(Metric metric)
    {
        await AssertCountsAsync(metric);
        var cell = Assert.Single(await Store.Metrics.CellsAsync(Home, metric.Id, Ct));
        return (cell.Human, cell.Chance);
    }

    async Task<ReviewItem[]> QueueAsync(string? author = null, DateTimeOffset? now = null, int limit = 50) =>
        [.. (await Store.Review.ListAsync(Home, new(Author: author, Now: now ?? Noon, Limit: limit), Ct)).Items];

    [Fact]
    public async Task Counts_tell_drawn_labels_from_picked_ones_and_from_those_given_unasked()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var unasked = await MetricAsync(NewMetric("unasked"));
        var drawn = await MetricAsync(NewMetric("drawn"));
        var picked = await MetricAsync(NewMetric("picked"));
        var unseen = await MetricAsync(NewMetric("unseen"));
        var span = await SpanAsync();
        foreach (var metric in new[] { unasked, drawn, picked, unseen })
            await JudgeAsync(Verdict(span, metric, Outcome.Fail));
        await Store.Review.AddPicksAsync(
            Home,
            [
                new(span.Id, drawn.Id, ReviewReason.RandomAudit, "", 0.5, 0.125),
                new(span.Id, picked.Id, ReviewReason.LowScore, "", 0.5, null),
                new(span.Id, unseen.Id, ReviewReason.RandomAudit, "", 0.5, 0.125),
            ],
            Noon, Ct);
        await Store.Review.ShownAsync(Home, [new(span.Id, drawn.Id), new(span.Id, picked.Id)], Noon, Ct);

        foreach (var metric in new[] { unasked, drawn, picked, unseen })
            await Store.Labels.AddAsync(Label(span, metric, false), Ct);

        Assert.Equal((false, 0), await CellAsync(unasked));
        Assert.Equal((false, 0.125), await CellAsync(drawn));
        Assert.Equal((false, MetricCell.Picked), await CellAsync(picked));
        // Whoever labels a pair that the queue never showed does so for reasons of their own.
        Assert.Equal((false, 0), await CellAsync(unseen));

        // Drawn afterwards: the label of a likely failure counts by the chance of the draw, as it would had it been drawn first.
        await Store.Review.KeepDrawAsync(Home, picked.Id, [new(span.Id, 0.5, 0.3)], Noon, Ct);
        Assert.Equal((false, 0.5), await CellAsync(picked));
    }

    [Fact]
    public async Task A_label_that_brings_its_chance_keeps_it()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric));
        var label = Label(span, metric, true) with { Propensity = 0.25 };
        await Store.Labels.AddAsync(label, Ct);

        Assert.Equal((true, 0.25), await CellAsync(metric));
        await Store.Labels.RemoveAsync(Home, label.Id, "ann", Noon, Ct);
        Assert.Equal((null, 0), await CellAsync(metric));
    }

    [Fact]
    public async Task Every_judged_pair_is_considered_once_and_its_chance_is_kept()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 1, Ct);
        var metric = await MetricAsync();
        var (audited, other, code) = (await SpanAsync(), await SpanAsync(), await SpanAsync());
        await JudgeAsync(ByModel(Verdict(audited, metric, Outcome.Fail, confidence: 0.75)));
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        await JudgeAsync(ByModel(Verdict(other, metric, Outcome.Unsure, at: Noon.AddMinutes(1))));
        await JudgeAsync(Verdict(code, metric));
        await SqlAsync("UPDATE review_pick SET propensity = 0.25");

        var waiting = await Store.Review.UndrawnAsync(Home, metric.Id, 10, Ct);
        Assert.Equal(2, await Store.Review.CountUndrawnAsync(Home, metric.Id, Ct));
        Assert.Equal(
            [
                new(audited.Id, audited.Key, "Where is my parcel?", "tracking", Outcome.Fail, 0.75, Noon, null, 0.25),
                new(other.Id, other.Key, "Where is my parcel?", "tracking", Outcome.Unsure, null, Noon.AddMinutes(1), null, 0),
            ],
            waiting);

        await Store.Review.KeepDrawAsync(Home, metric.Id, [new(audited.Id, 0.5, null), new(other.Id, 0.125, 0.9)], Noon, Ct);

        Assert.Empty(await Store.Review.UndrawnAsync(Home, metric.Id, 10, Ct));
        Assert.Equal(0, await Store.Review.CountUndrawnAsync(Home, metric.Id, Ct));
        var audits = (await QueueAsync()).Where(item => item.Reason == ReviewReason.RandomAudit)
            .ToDictionary(item => item.Span, item => item.Propensity);
        Assert.Equal(new Dictionary<SpanId, double?> { [audited.Id] = 0.5, [other.Id] = 0.125 }, audits);

        await JudgeAsync(ByModel(Verdict(other, metric, Outcome.Pass, "v2", Noon.AddMinutes(2))));
        Assert.Equal([(other.Id, 0.125)],
            (await Store.Review.UndrawnAsync(Home, metric.Id, 10, Ct)).Select(pair => (pair.Span, pair.Earlier!.Value)));
    }

    [Fact]
    public async Task Likely_failures_come_first_the_rest_behind_them_and_no_page_loses_or_repeats_one()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var spans = new List<Span>();
        for (var i = 0; i < 7; i++)
        {
            spans.Add(await SpanAsync());
            await JudgeAsync(Verdict(spans[i], metric, i == 6 ? Outcome.Pass : Outcome.Fail));
        }
        Assert.Equal(spans.Select(span => span.Id).Reverse(), await Store.Review.UnlabelledAsync(Home, metric.Id, 10, Ct));
        async Task RankAsync(params (int Span, double Chance)[] order) => await Store.Review.RankAsync(
            Home, metric.Id, [.. order.Select(
                it => new ReviewPick(spans[it.Span].Id, metric.Id, ReviewReason.LowScore, "likely", it.Chance, null))], Noon, Ct);
        async Task<List<SpanId>> AllAsync()
        {
            var seen = new List<SpanId>();
            string? cursor = null;
            do
            {
                var page = await Store.Review.ListAsync(Home, new(Reason: ReviewReason.LowScore, Cursor: cursor, Limit: 2), Ct);
                seen.AddRange(page.Items.Select(item => item.Span));
                cursor = page.Next;
            }
            while (cursor is not null);
            return seen;
        }

        await RankAsync((2, 0.9), (6, 0.8), (0, 0.7));
        // The judge passed 6: only the forecast asks about it.
        Assert.Equal([2, 6, 0, 5, 4, 3, 1], (await AllAsync()).Select(id => spans.FindIndex(span => span.Id == id)));

        await Store.Review.ShownAsync(Home, [new(spans[6].Id, metric.Id)], Noon, Ct);
        await RankAsync((5, 0.9), (0, 0.1));
        Assert.Equal([5, 0, 6, 4, 3, 2, 1], (await AllAsync()).Select(id => spans.FindIndex(span => span.Id == id)));
        await Store.Labels.AddAsync(Label(spans[5], metric, false), Ct);
        Assert.DoesNotContain(spans[5].Id, await AllAsync());
        Assert.DoesNotContain(spans[5].Id, await Store.Review.UnlabelledAsync(Home, metric.Id, 10, Ct));
    }

    [Fact]
    public async Task What_one_person_took_is_not_shown_to_another_until_the_time_is_up_or_it_is_given_back()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));
        var pair = new ReviewPair(span.Id, metric.Id);

        var held = Assert.Single(await Store.Review.ReserveAsync(Home, [pair], "ann", Noon, Noon.AddMinutes(10), Ct));
        Assert.Equal(new(pair, "ann", Noon.AddMinutes(10)), held);
        Assert.Equal("ann", Assert.Single(await Store.Review.ReserveAsync(Home, [pair], "bob", Noon, Noon.AddMinutes(10), Ct)).Author);
        Assert.Single(await QueueAsync("ann"));
        Assert.Empty(await QueueAsync("bob"));
        Assert.Single(await QueueAsync());
        Assert.Equal([held], await Store.Review.ReservationsAsync(Home, [pair], Noon, Ct));

        // Expired: bob sees and takes it.
        Assert.Single(await QueueAsync("bob", Noon.AddMinutes(10)));
        Assert.Equal("bob", Assert.Single(
            await Store.Review.ReserveAsync(Home, [pair], "bob", Noon.AddMinutes(10), Noon.AddMinutes(20), Ct)).Author);
        Assert.False(await Store.Review.ReleaseAsync(Home, pair, "ann", Ct));
        Assert.True(await Store.Review.ReleaseAsync(Home, pair, "bob", Ct));
        Assert.Single(await QueueAsync("ann", Noon.AddMinutes(11)));
        Assert.Empty(await Store.Review.ReservationsAsync(Home, [pair], Noon, Ct));

        await Store.Review.ReserveAsync(Home, [pair], "ann", Noon, Noon.AddMinutes(10), Ct);
        await Store.Labels.AddAsync(Label(span, metric, false), Ct);
        Assert.Equal(0, await CountAsync("review_reservation"));
    }

    [Fact]
    public async Task People_who_take_at_once_never_take_the_same()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var pairs = new List<ReviewPair>();
        for (var i = 0; i < 10; i++)
            pairs.Add(new((await SpanAsync()).Id, metric.Id));
        await using var other = await OpenAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(who => Task.Run(
            () => (who % 2 == 0 ? Store : other).Review.ReserveAsync(
                Home, who % 3 == 0 ? pairs : [.. pairs.AsEnumerable().Reverse()], $"p{who}", Noon, Noon.AddMinutes(10), Ct),
            Ct)));

        Assert.All(pairs, pair =>
            Assert.Single(answers.SelectMany(each => each).Where(hold => hold.Pair == pair).Select(hold => hold.Author).Distinct()));
    }

    [Fact]
    public async Task As_many_people_are_asked_as_the_metric_says_and_nobody_twice()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync(NewMetric() with { LabelsPerItem = 2 });
        Assert.Equal(2, metric.LabelsPerItem);
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));

        await Store.Labels.AddAsync(Label(span, metric, false), Ct);
        Assert.Empty(await QueueAsync("ann"));
        Assert.Equal(ReviewReason.LowScore, Assert.Single(await QueueAsync("bob")).Reason);
        await Store.Labels.AddAsync(Label(span, metric, false, author: "bob"), Ct);
        Assert.Empty(await QueueAsync());
    }

    [Fact]
    public async Task Whoever_adjudicates_decides_for_counts_and_demonstrations()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));
        var (ann, bob) = (Label(span, metric, false), Label(span, metric, true, author: "bob", at: Noon.AddMinutes(1)));
        await Store.Labels.AddAsync(ann, Ct);
        await Store.Labels.AddAsync(bob, Ct);
        await Store.Demonstrations.ApproveAsync(
            Home, [.. (await Store.Demonstrations.ListAsync(Home, new(), Ct)).Items.Select(it => it.Id)], "ann", Noon, Ct);
        Assert.Equal(ReviewReason.Adjudicate, Assert.Single(await QueueAsync()).Reason);
        // A tie: the newest stands until somebody decides.
        Assert.Equal((true, 0), await CellAsync(metric));

        // It decides although another label is newer.
        await Store.Labels.AddAsync(Label(span, metric, false, author: "cleo", at: Noon.AddSeconds(30)) with { Adjudicates = true }, Ct);

        Assert.Empty(await QueueAsync());
        Assert.Equal((false, 0), await CellAsync(metric));
        Assert.Equal(DemonstrationState.Approved, (await Store.Demonstrations.OfSourceAsync(Home, ann.Id, Ct))!.State);
        Assert.Equal(DemonstrationState.Recalled, (await Store.Demonstrations.OfSourceAsync(Home, bob.Id, Ct))!.State);
        // It is no independent opinion.
        Assert.Equal(["ann", "bob"], (await Store.Serving.RatingsAsync(Home, metric.Id, Ct)).Select(rating => rating.Author));
        Assert.True((await Store.Labels.OfSpansAsync(Home, [span.Id], Ct)).Single(label => label.Author == "cleo").Adjudicates);
    }

    [Fact]
    public async Task Where_most_people_agree_the_majority_is_gold()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync(NewMetric() with { LabelsPerItem = 3 });
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));
        foreach (var (author, passed, minute) in new[] { ("ann", false, 0), ("bob", false, 1), ("cleo", true, 2) })
            await Store.Labels.AddAsync(Label(span, metric, passed, LabelMode.Blind, author, Noon.AddMinutes(minute)), Ct);

        Assert.Equal((false, 0), await CellAsync(metric));
        Assert.Empty(await QueueAsync());
    }
}
