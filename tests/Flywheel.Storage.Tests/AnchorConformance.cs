using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class AnchorConformance(ITestDatabases databases) : StoreConformance(databases)
{
    async Task<(Metric Metric, Span[] Spans, AnchorSet Set)> FrozenAsync()
    {
        var metric = await MetricAsync();
        var keys = Enumerable.Range(0, 50).Select(_ => NewSpan()).ToArray();
        await Store.AddRawSpansAsync(Home, keys, Noon, Ct);
        var spans = (await Store.Spans.NewestAsync(Home, null, 100, Ct)).OrderBy(span => span.Id.Value).ToArray();
        var set = await Store.Anchors.FreezeAsync(metric, [.. spans.Select((span, i) => new Anchor(span.Id, i % 2 == 0))], "ann", Noon, Ct);
        return (metric, spans, set);
    }

    Task<AnchorReplay?> ClaimAnchorsAsync(double hours, string worker = "w") =>
        Store.Anchors.ClaimAsync(worker, Noon.AddHours(hours), Noon.AddHours(hours).AddMinutes(5), Ct);

    async Task EndAsync(AnchorReplay replay, double hours) => Assert.True(
        await Store.Anchors.EndAsync(replay, replay.Worker!, ReplayState.Done, null, null, false, null, Noon.AddHours(hours), Ct));

    [Fact]
    public async Task Frozen_cases_are_kept_and_replaced_by_the_next_ones()
    {
        var (metric, spans, set) = await FrozenAsync();
        var again = await Store.Anchors.FreezeAsync(
            metric, [.. spans.Select(span => new Anchor(span.Id, true))], "bob", Noon.AddHours(1), Ct);
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;

        Assert.Equal((25, 25, "ann", null, 24), (set.Passes, set.Fails, set.Author, set.ReplayedAt, set.Hours));
        Assert.Equal((50, 0), (again.Passes, again.Fails));
        Assert.Equal(again, await Store.Anchors.FindAsync(Home, metric.Id, Ct));
        Assert.Equal(new Anchor(spans[1].Id, false), (await Store.Anchors.CasesAsync(Home, set.Id, Ct))[1]);
        Assert.Empty(await Store.Anchors.CasesAsync(other, set.Id, Ct));
        Assert.Null(await Store.Anchors.FindAsync(other, metric.Id, Ct));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            () => Store.Anchors.FreezeAsync(metric, [new(spans[0].Id, true)], "ann", Noon, Ct));
        Assert.False(await Store.Anchors.CloseAsync(other, metric.Id, "eve", Noon, Ct));
        Assert.True(await Store.Anchors.CloseAsync(Home, metric.Id, "bob", Noon, Ct));
        Assert.Null(await Store.Anchors.FindAsync(Home, metric.Id, Ct));
        Assert.Equal(["anchors.close", "anchors.freeze", "anchors.close", "anchors.freeze"],
            (await Store.Audit.ListAsync(Home, 4, Ct)).Select(entry => entry.Action));
    }

    [Fact]
    public async Task Replays_come_at_once_then_by_the_clock_and_one_at_a_time()
    {
        var (metric, _, set) = await FrozenAsync();

        var claims = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => ClaimAnchorsAsync(0, $"w{i}")));
        var first = Assert.Single(claims, claim => claim is not null)!;
        Assert.Equal((metric.VersionId, ReplayState.Running, 0, 50), (first.MetricVersion, first.State, first.Done, first.Total));
        Assert.Null(await ClaimAnchorsAsync(0.05));
        await EndAsync(first, 0.1);
        Assert.Null(await ClaimAnchorsAsync(23.9));
        var second = (await ClaimAnchorsAsync(24))!;
        await EndAsync(second, 24.1);
        await Store.Projects.SetAnchorHoursAsync(Home, 0, Ct);
        Assert.Null(await ClaimAnchorsAsync(24_000));
        Assert.True(await Store.Anchors.AskAsync(Home, metric.Id, Ct));
        var asked = (await ClaimAnchorsAsync(25))!;
        await EndAsync(asked, 25.1);
        await Store.Projects.SetAnchorHoursAsync(Home, 1, Ct);
        await Store.Metrics.SetStateAsync(Home, metric.Name, MetricState.Retired, "ann", Noon, Ct);

        Assert.Null(await ClaimAnchorsAsync(100));
        Assert.Equal([asked.Id, second.Id, first.Id], (await Store.Anchors.ReplaysAsync(Home, set.Id, 10, Ct)).Select(each => each.Id));
        Assert.Equal(1, (await Store.Projects.GetAsync(Home, Ct))!.AnchorHours);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => Store.Projects.SetAnchorHoursAsync(Home, -1, Ct));
    }

    [Fact]
    public async Task Answers_survive_a_worker_that_dies_and_only_the_holder_adds_to_them()
    {
        var (_, spans, set) = await FrozenAsync();
        var first = (await ClaimAnchorsAsync(0, "dies"))!;
        Assert.True(await Store.Anchors.KeepAsync(first, "dies", new(spans[0].Id, Outcome.Pass, "v1"), 0.25, Noon.AddMinutes(5), Ct));

        Assert.Null(await ClaimAnchorsAsync(0.05, "next"));
        var taken = (await ClaimAnchorsAsync(1, "next"))!;
        var late = await Store.Anchors.KeepAsync(first, "dies", new(spans[1].Id, Outcome.Fail, "v1"), 5, Noon.AddHours(9), Ct);
        await Store.Anchors.KeepAsync(taken, "next", new(spans[0].Id, Outcome.Fail, "v2"), 0.25, Noon.AddHours(1), Ct);
        await Store.Anchors.PauseAsync(taken, "next", "the budget is used up", isFault: false, Noon.AddHours(12), Ct);

        Assert.Equal((first.Id, 1, 0.25), (taken.Id, taken.Done, taken.CostUsd));
        Assert.False(late);
        Assert.Equal([new AnchorAnswer(spans[0].Id, Outcome.Pass, "v1")], await Store.Anchors.AnswersAsync(Home, taken.Id, Ct));
        Assert.Null(await ClaimAnchorsAsync(11));
        Assert.Equal("the budget is used up", (await Store.Anchors.ReplaysAsync(Home, set.Id, 1, Ct))[0].Detail);
        Assert.Equal(taken.Id, (await ClaimAnchorsAsync(12))!.Id);
    }

    [Fact]
    public async Task A_comparison_is_kept_with_its_replay_and_a_deleted_span_leaves_case_and_answers()
    {
        var (metric, spans, set) = await FrozenAsync();
        var replay = (await ClaimAnchorsAsync(0))!;
        await Store.Anchors.KeepAsync(replay, "w", new(spans[0].Id, Outcome.Pass, "v1"), 0, Noon.AddHours(1), Ct);
        var comparison = new AnchorComparison(50, 9, 0, 5, 4, 0.0039, 1);
        Assert.True(await Store.Anchors.EndAsync(replay, "w", ReplayState.Done, 7, comparison, true, null, Noon.AddMinutes(3), Ct));

        await SqlAsync($"DELETE FROM span WHERE id = {spans[0].Id.Value}");

        var kept = Assert.Single(await Store.Anchors.ReplaysAsync(Home, set.Id, 10, Ct));
        Assert.Equal((ReplayState.Done, 7L, comparison, true, Noon.AddMinutes(3)),
            (kept.State, kept.Baseline, kept.Comparison, kept.Alarmed, kept.EndedAt));
        Assert.Empty(await Store.Anchors.AnswersAsync(Home, replay.Id, Ct));
        Assert.Equal(49, (await Store.Anchors.CasesAsync(Home, set.Id, Ct)).Count);
        Assert.Equal(24, (await Store.Anchors.FindAsync(Home, metric.Id, Ct))!.Passes);
        Assert.False(await Store.Anchors.EndAsync(replay, "w", ReplayState.Failed, null, null, false, null, Noon, Ct));
    }
}
