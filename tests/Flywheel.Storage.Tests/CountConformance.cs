using CsCheck;
using Flywheel.Core.Jobs;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class CountConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task A_late_label_moves_a_verdict_to_the_cell_that_it_belongs_to()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync(NewSpan(at: Noon.AddMinutes(59)));
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));

        Assert.Equal(
            [new(metric.VersionId, "v1", "intent", Noon, Outcome.Fail, null, 1)], await Store.Metrics.CellsAsync(Home, metric.Id, Ct));

        var label = Label(span, metric, passed: true);
        await Store.Labels.AddAsync(label, Ct);
        Assert.Equal(
            [new(metric.VersionId, "v1", "intent", Noon, Outcome.Fail, true, 1)], await Store.Metrics.CellsAsync(Home, metric.Id, Ct));

        await Store.Labels.RemoveAsync(Home, label.Id, "ann", Noon, Ct);
        Assert.Equal(
            [new(metric.VersionId, "v1", "intent", Noon, Outcome.Fail, null, 1)], await Store.Metrics.CellsAsync(Home, metric.Id, Ct));
    }

    [Fact]
    public async Task Only_the_newest_blind_label_is_gold()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric));
        async Task<bool?> HumanAsync() => Assert.Single(await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Human;

        await Store.Labels.AddAsync(Label(span, metric, false, LabelMode.Accepted), Ct);
        await Store.Labels.AddAsync(Label(span, metric, false, LabelMode.Edited), Ct);
        Assert.Null(await HumanAsync());
        var newer = Label(span, metric, true, at: Noon.AddHours(2));
        await Store.Labels.AddAsync(newer, Ct);
        Assert.True(await HumanAsync());
        await Store.Labels.AddAsync(Label(span, metric, false, at: Noon.AddHours(1)), Ct);
        Assert.True(await HumanAsync());
        await Store.Labels.RemoveAsync(Home, newer.Id, "ann", Noon, Ct);
        Assert.False(await HumanAsync());
        await SqlAsync("UPDATE label SET mode = 'accepted'");
        Assert.Null(await HumanAsync());
    }

    [Fact]
    public async Task Folding_changes_nothing_that_can_be_seen()
    {
        var metric = await MetricAsync();
        for (var i = 0; i < 10; i++)
            await JudgeAsync(Verdict(await SpanAsync(NewSpan(at: Noon.AddMinutes(20 * i))), metric, (Outcome)(i % 3)));
        var before = await Store.Metrics.CellsAsync(Home, metric.Id, Ct);

        Assert.Equal(4, await Store.Metrics.FoldAsync(4, Ct));
        Assert.Equal(before, await Store.Metrics.CellsAsync(Home, metric.Id, Ct));
        Assert.Equal(6, await Store.Metrics.FoldAsync(100, Ct));
        Assert.Equal(before, await Store.Metrics.CellsAsync(Home, metric.Id, Ct));
        Assert.Equal(0, await Store.Metrics.FoldAsync(100, Ct));
        Assert.Equal(10, before.Sum(cell => cell.Count));
    }

    [Fact]
    public async Task A_deleted_span_takes_everything_of_it_along()
    {
        var metric = await MetricAsync();
        var gone = await SpanAsync();
        var stays = await SpanAsync();
        await FanOutAsync();
        foreach (var span in new[] { gone, stays })
        {
            await JudgeAsync(Verdict(span, await MetricAsync(NewMetric("second")), Outcome.Fail));
            await Store.Labels.AddAsync(Label(span, metric, true), Ct);
            await Store.Corrections.AddAsync(Correction(span), Ct);
            await Store.Review.AddPicksAsync(Home, [new(span.Id, null, ReviewReason.Informative, "", 0.5, null)], Noon, Ct);
        }
        var lost = (await Store.Demonstrations.ListAsync(Home, new(), Ct)).Items.Where(one => one.SpanId == gone.Id.Value).ToArray();
        await Store.Demonstrations.ApproveAsync(Home, [.. lost.Select(one => one.Id)], "ann", Noon, Ct);
        var seen = await Store.Demonstrations.LatestChangeAsync(Ct);

        await SqlAsync($"DELETE FROM span WHERE id = {gone.Id.Value}");

        foreach (var table in new[] { "verdict", "label", "correction", "gold", "job", "review_pick", "demonstration" })
        {
            Assert.Equal(0, await CountAsync($"{table} WHERE span_id = {gone.Id.Value}"));
            Assert.True(await CountAsync($"{table} WHERE span_id = {stays.Id.Value}") > 0, table);
        }
        await AssertCountsAsync((await Store.Metrics.FindAsync(Home, "second", Ct))!);
        Assert.Equal(1, (await Store.Metrics.CellsAsync(Home, (await Store.Metrics.FindAsync(Home, "second", Ct))!.Id, Ct))
            .Sum(cell => cell.Count));
        var changes = await Store.Demonstrations.ChangesAsync(seen, "f", 10, Ct);
        Assert.Equal(2, changes.Count);
        Assert.All(changes, change => Assert.Null(change.Demonstration));
    }

    enum Step
    {
        Judge,
        Label,
        Unlabel,
        Relabel,
        NewVersion,
        Fold,
        DeleteSpan,
        DeleteVerdict,
        Pick,
        Draw,
        Show,
    }

    [Fact]
    public async Task Counts_equal_recomputation_after_any_stream_of_changes()
    {
        var stream = Gen.Select(
            Gen.Frequency(
                (8, Gen.Const(Step.Judge)), (6, Gen.Const(Step.Label)), (2, Gen.Const(Step.Unlabel)), (2, Gen.Const(Step.Relabel)),
                (1, Gen.Const(Step.NewVersion)), (2, Gen.Const(Step.Fold)), (1, Gen.Const(Step.DeleteSpan)),
                (1, Gen.Const(Step.DeleteVerdict)), (2, Gen.Const(Step.Pick)), (2, Gen.Const(Step.Draw)), (2, Gen.Const(Step.Show))),
            Gen.Int[0, 999], Gen.Int[0, 999]).Array[5, 60];
        var round = 0;

        await stream.SampleAsync(
            async steps =>
            {
                var metric = await MetricAsync(NewMetric($"m{round++}"));
                var spans = new List<Span>();
                for (var i = 0; i < 5; i++)
                    spans.Add(await SpanAsync(NewSpan(node: $"n{i % 2}", at: Noon.AddMinutes(25 * i))));
                var labels = new List<Label>();
                foreach (var (step, a, b) in steps)
                {
                    metric = await StepAsync(step, a, b, metric, spans, labels);
                    await AssertCountsAsync(metric);
                }
                Assert.Equal(
                    await CountAsync($"verdict WHERE metric_id = {metric.Id.Value}"),
                    (await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Sum(cell => cell.Count));
            },
            iter: 12, threads: 1);
    }

    async Task<Metric> StepAsync(Step step, int a, int b, Metric metric, List<Span> spans, List<Label> labels)
    {
        if (spans.Count == 0)
            spans.Add(await SpanAsync());
        var span = spans[a % spans.Count];
        switch (step)
        {
            case Step.Judge:
                await JudgeAsync(Verdict(span, metric, (Outcome)(b % 5), $"v{b % 2}"));
                break;
            case Step.Label:
                labels.Add(Label(span, metric, b % 2 == 0, (LabelMode)(b % 3), b % 5 < 2 ? "ann" : "bob", Noon.AddSeconds(b % 7)) with
                {
                    Propensity = b % 11 < 3 ? 0.25 * (1 + b % 11) : null, Adjudicates = b % 13 == 0,
                });
                Assert.Equal(InsertResult.Stored, await Store.Labels.AddAsync(labels[^1], Ct));
                break;
            case Step.Unlabel when labels.Count > 0:
                await Store.Labels.RemoveAsync(Home, labels[b % labels.Count].Id, "ann", Noon, Ct);
                labels.RemoveAt(b % labels.Count);
                break;
            case Step.Relabel when labels.Count > 0:
                await SqlAsync(
                    $"UPDATE label SET passed = 1 - passed, mode = '{Wire.Name((LabelMode)(b % 3))}', propensity = "
                        + $"{(b % 4 == 0 ? "0.125" : "propensity")}, adjudicates = {(b % 7 == 0 ? 1 : 0)}, created_at = created_at + "
                        + $"{a - 500} WHERE id = '{labels[b % labels.Count].Id:D}'");
                break;
            case Step.NewVersion:
                return await MetricAsync(NewMetric(metric.Name));
            case Step.Fold:
                await Store.Metrics.FoldAsync(1 + b % 20, Ct);
                break;
            case Step.Pick:
                await Store.Review.AddPicksAsync(
                    Home, [new(span.Id, metric.Id, b % 2 == 0 ? ReviewReason.LowScore : ReviewReason.RandomAudit, "", 0.5,
                        b % 2 == 0 ? null : 0.1)], Noon, Ct);
                break;
            case Step.Draw:
                await Store.Review.KeepDrawAsync(Home, metric.Id, [new(span.Id, (1 + b % 9) / 10.0, b % 3 == 0 ? null : 0.5)], Noon, Ct);
                break;
            case Step.Show:
                await Store.Review.ShownAsync(Home, [new(span.Id, metric.Id)], Noon, Ct);
                break;
            case Step.DeleteSpan:
                await SqlAsync($"DELETE FROM span WHERE id = {span.Id.Value}");
                labels.RemoveAll(label => label.Span == span.Id);
                spans.Remove(span);
                break;
            case Step.DeleteVerdict:
                await SqlAsync($"DELETE FROM verdict WHERE span_id = {span.Id.Value} AND validator_version = 'v{b % 2}'");
                break;
        }
        return metric;
    }

    [Fact]
    public async Task Verdicts_labels_and_deletions_that_meet_on_the_same_spans_are_counted_right()
    {
        var metric = await MetricAsync();
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        await using var other = await OpenAsync();
        for (var round = 0; round < 8; round++)
        {
            var spans = new List<Span>();
            for (var i = 0; i < 12; i++)
                spans.Add(await SpanAsync());
            await FanOutAsync();
            var jobs = await ClaimAsync();

            var verdicts = jobs.Chunk(4).Select((batch, i) => Task.Run(
                () => (i % 2 == 0 ? Store : other).Jobs.EndAsync(
                    [.. batch.Select(job => new JobEnd.Done(job, Verdict(spans.Single(span => span.Id == job.Span), metric)))], Noon, Ct),
                Ct));
            var labels = spans.Select((span, i) => Task.Run(
                () => (i % 2 == 0 ? Store : other).Labels.AddAsync(Label(span, metric, i % 3 == 0), Ct), Ct));
            // A label of a span that is gone by then is refused; that is right.
            var deletion = Task.Run(() => SqlAsync($"DELETE FROM span WHERE id = {spans[^1].Id.Value}"), Ct);
            var all = verdicts.Cast<Task>().Concat(labels).Append(deletion).ToArray();
            await Task.WhenAll(all).ContinueWith(_ => { }, TaskScheduler.Default);

            Assert.All(all.Where(task => task.IsFaulted), task => Assert.IsType<KeyNotFoundException>(task.Exception!.InnerException));
            await AssertCountsAsync(metric);
        }
        Assert.Equal(8 * 11, (await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Sum(cell => cell.Count));
        Assert.DoesNotContain(await Store.Metrics.CellsAsync(Home, metric.Id, Ct), cell => cell.Human is null);
    }
}
