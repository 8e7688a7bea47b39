using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Storage.Tests;

public abstract class EvalRunConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static readonly NewEvalRun About = new(
        "rows.jsonl", "data", "set", ["short", "plain"], """[{"Name":"short"},{"Name":"plain"}]""", """{"name":"x"}""");

    IEvalRunStore Runs => Store.EvalRuns;

    [Fact]
    public async Task An_unfinished_run_over_the_same_data_and_metrics_goes_on()
    {
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);
        await Runs.AddAsync(run, [Case(1, Outcome.Pass, Outcome.Fail), Case(2, Outcome.Pass, Outcome.Pass)], Ct);

        var again = await Runs.BeginAsync(Home, About, afresh: false, Noon.AddHours(1), Ct);
        Assert.Equal((run.Id, Noon, 2), (again.Id, again.StartedAt, again.Resumed));
        Assert.Equal([1, 2], (await Runs.DoneAsync(again, Ct)).Order());
        Assert.NotEqual(run.Id, (await Runs.BeginAsync(Home, About, afresh: true, Noon, Ct)).Id);
        Assert.NotEqual(run.Id, (await Runs.BeginAsync(Home, About with { SetHash = "other" }, afresh: false, Noon, Ct)).Id);

        await Runs.FinishAsync(run, Noon.AddHours(2), Ct);
        var found = (await Runs.FindAsync(Home, run.Id, Ct))!;
        Assert.Equal((Noon.AddHours(2), 2L), (found.FinishedAt, found.Rows));
        Assert.Equal(About.Metrics, found.Run.About.Metrics);
        Assert.Equal((About.MetricsJson, About.About), (found.Run.About.MetricsJson, found.Run.About.About));
        Assert.Equal(3, (await Runs.ListAsync(Home, 10, Ct)).Count);
        Assert.Equal(found.Run.Id, (await Runs.ListAsync(Home, 10, Ct))[^1].Run.Id);
    }

    [Fact]
    public async Task A_run_belongs_to_its_project()
    {
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);

        Assert.NotEqual(run.Id, (await Runs.BeginAsync(other, About, afresh: false, Noon, Ct)).Id);
        Assert.Null(await Runs.FindAsync(other, run.Id, Ct));
        Assert.Single(await Runs.ListAsync(other, 10, Ct));
        Assert.Empty(await Runs.DoneAsync(run with { Project = other }, Ct));
    }

    [Fact]
    public async Task Outputs_are_kept_before_their_rows_are_checked_and_their_cost_counts()
    {
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);
        Guid[] shown = [Guid.CreateVersion7(), Guid.CreateVersion7()];
        Assert.Null(await Runs.GenerationAsync(run, Ct));
        for (var row = 1; row <= 20; row++)
            await Runs.AddAsync(run,
                new GeneratedOutput(row, row == 3 ? null : $"out {row}", row == 3 ? "why" : null, 10, 2, 0.5, row, "m", shown), Ct);
        await Runs.AddAsync(run, [Case(1, Outcome.Pass, Outcome.Fail, cost: 0.25)], Ct);

        var left = await Runs.UncheckedAsync(run, Ct);
        Assert.Equal(Enumerable.Range(2, 19), left.Keys.Order());
        Assert.Equal(shown, left[2].Demonstrations);
        Assert.Equal((null, "why"), (left[3].Output, left[3].Error));
        Assert.Equal(new GenerationTotals(20, 1, 200, 40, 10, 11, 20), await Runs.GenerationAsync(run, Ct));
        Assert.Equal(10.25, await Runs.SpentAsync(run, Ct));
    }

    [Fact]
    public async Task Results_are_counted_compared_and_read_in_the_order_of_the_rows()
    {
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);
        // More than one page, in no order.
        await Runs.AddAsync(run,
            [.. Enumerable.Range(1, 2_345).Reverse()
                .Select(row => Case(row, row % 5 == 0 ? Outcome.Fail : Outcome.Pass, row == 7 ? Outcome.Error : Outcome.Skipped))], Ct);
        await Runs.AddAsync(run, [Case(2_346, Outcome.Unsure, Outcome.Fail) with { Expected = null }], Ct);

        var rows = await Runs.OutcomesAsync(run, Ct).ToArrayAsync(Ct);
        Assert.Equal(Enumerable.Range(1, 2_346), rows.Select(row => row.Row));
        Assert.Equal([Outcome.Pass, Outcome.Error], rows[6].Outcomes);
        var second = await Runs.FindingsAsync(run, 1, Ct).ToArrayAsync(Ct);
        Assert.Equal(Enumerable.Range(1, 2_346), second.Select(finding => finding.Row));
        Assert.Equal(("r7", Outcome.Error, "because"), (second[6].Id, second[6].Outcome, second[6].Reason));
        Assert.Equal(
            [(0, Outcome.Fail, 469L), (0, Outcome.Pass, 1876L), (0, Outcome.Unsure, 1L), (1, Outcome.Error, 1L), (1, Outcome.Fail, 1L),
                (1, Outcome.Skipped, 2344L)],
            (await Runs.CountsAsync(run, Ct)).OrderBy(count => (count.Metric, Wire.Name(count.Outcome)))
                .Select(count => (count.Metric, count.Outcome, count.Count)));
        Assert.Equal([(5, 0), (7, 1)], (await Runs.WorstAsync(run, 2, Ct)).Select(fault => (fault.Row, fault.Metric)));
        Assert.Equal([new ConfusionCell("a", "b", 2_345)], await Runs.ConfusionAsync(run, Ct));
        Assert.Equal(1, await Runs.IncomparableAsync(run, Ct));
    }

    [Fact]
    public async Task A_row_that_is_added_again_stands_as_it_was_added_last()
    {
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);
        await Runs.AddAsync(run, [Case(1, Outcome.Pass, Outcome.Pass)], Ct);
        await Runs.AddAsync(run, [Case(1, Outcome.Fail, Outcome.Unsure)], Ct);

        Assert.Equal([Outcome.Fail, Outcome.Unsure], Assert.Single(await Runs.OutcomesAsync(run, Ct).ToArrayAsync(Ct)).Outcomes);
    }

    [Fact]
    public async Task Results_are_no_verdicts()
    {
        var run = await Runs.BeginAsync(Home, About, afresh: false, Noon, Ct);
        await Runs.AddAsync(run, [Case(1, Outcome.Fail, Outcome.Pass)], Ct);

        foreach (var table in new[] { "verdict", "metric_delta", "metric_count", "job", "verdict_outbox", "review_item" })
            Assert.Equal(0, await CountAsync(table));
    }

    static EvaluatedCase Case(int row, Outcome first, Outcome second, double cost = 0) => new(
        row, $"r{row}", $"text {row}", "a", "b",
        [new(first, 1, "because", null) { CostUsd = cost }, new(second, null, "because", 0.5)]);
}
