using Flywheel.Core.Statistics;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Loop;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;

namespace Flywheel.Server.Cli.Demo;

/// <summary>How much of each the demo does.</summary>
/// <param name="LabelsAfterRound">Outputs that the person has answered in all after each round; rising.</param>
sealed record DemoPlan(IReadOnlyList<int> LabelsAfterRound);

/// <summary>Runs the loop in rounds: traffic, metrics, review, fixes, approval, and a look at what it changed.</summary>
sealed class LoopDemo(
    IFlywheelStore store, EmbeddedLoop embedded, MetricWorker worker, ReviewPlanner planner, DemonstrationRetriever retriever,
    DemonstrationEmbedding embedding, TimeProvider clock)
{
    const int ItemsAtOnce = 500;

    readonly ProjectId _project = ProjectId.Default;

    /// <param name="onRound">Called after each round, the one before any label first.</param>
    /// <param name="progress">Called with what is going on and its progress.</param>
    public async Task<IReadOnlyList<DemoRound>> RunAsync(
        IDemoScenario scenario, DemoPlan plan, Action<DemoRound> onRound, Action<string, int, int> progress, CancellationToken ct)
    {
        foreach (var metric in scenario.Metrics)
            await store.Metrics.AddAsync(_project, metric, expectNew: false, clock.GetUtcNow(), ct);
        var loop = new TimedLoop(embedded);
        var person = new DemoPerson(store, _project, scenario, clock);
        var rounds = new List<DemoRound>();

        async Task LookAsync(int round, int seen)
        {
            loop.TakeMedian();
            var score = await scenario.EvaluateAsync(
                new SilentLoop(loop), done => progress($"round {round}: held-out inputs", done, scenario.HeldOut), ct);
            rounds.Add(await DescribeAsync(round, seen, score, person, loop.TakeMedian(), ct));
            onRound(rounds[^1]);
        }

        await LookAsync(0, 0);
        var seen = 0;
        for (var round = 1; round <= plan.LabelsAfterRound.Count; round++)
        {
            var until = (int)((long)scenario.Traffic * round / plan.LabelsAfterRound.Count);
            await scenario.RunTrafficAsync(
                loop, seen, until - seen, done => progress($"round {round}: traffic", done, until - seen), ct);
            seen = until;
            await DrainAsync(ct);
            await ReviewAsync(scenario, person, plan.LabelsAfterRound[round - 1], round, progress, ct);
            await ApproveAsync(ct);
            await LookAsync(round, seen);
        }
        return rounds;
    }

    async Task DrainAsync(CancellationToken ct)
    {
        while ((await worker.RunOnceAsync(ct)).Any)
        {
        }
    }

    /// <summary>Asks the planner for the most instructive items, lets the person work through the queue, and stops at the number.</summary>
    async Task ReviewAsync(
        IDemoScenario scenario, DemoPerson person, int until, int round, Action<string, int, int> progress, CancellationToken ct)
    {
        var start = person.Answered;
        while (person.Answered < until)
        {
            var wanted = Math.Min(ItemsAtOnce, until - person.Answered);
            var before = person.Answered;
            var nodes = scenario.FixableNodes;
            for (var i = 0; i < nodes.Count; i++)
            {
                var share = (wanted - (person.Answered - before) + nodes.Count - i - 1) / (nodes.Count - i);
                if (share <= 0)
                    continue;
                await planner.PlanAsync(_project, nodes[i].Node, share, ct);
                var page = await store.Review.ListAsync(
                    _project, new ReviewFilter(nodes[i].Node, Reason: ReviewReason.Informative, Limit: share), ct);
                await person.AnswerAsync(page.Items, ct);
                progress($"round {round}: review", person.Answered - start, until - start);
            }
            if (person.Answered == before)
                return; // nothing is left that anybody could answer
        }
    }

    /// <summary>Approves what the person wrote; in a real project this is a separate act of somebody with that right.</summary>
    async Task ApproveAsync(CancellationToken ct)
    {
        while (true)
        {
            var pending = await store.Demonstrations.ListAsync(
                _project, new DemonstrationFilter(DemonstrationPurpose.Task, State: DemonstrationState.Pending, Limit: ItemsAtOnce), ct);
            if (pending.Items.Count == 0)
                break;
            await store.Demonstrations.ApproveAsync(_project, [.. pending.Items.Select(it => it.Id)], "demo", clock.GetUtcNow(), ct);
        }
        await embedding.RunOnceAsync(ct);
    }

    async Task<DemoRound> DescribeAsync(int round, int seen, DemoScore score, DemoPerson person, double retrievalMs, CancellationToken ct)
    {
        var nodes = score.Nodes.ToDictionary(node => node.Key, node => Interval.Share(node.Value.Right, node.Value.Checked));
        var metrics = new Dictionary<string, Interval>();
        foreach (var metric in await store.Metrics.ListAsync(_project, ct))
        {
            var cells = await store.Metrics.CellsAsync(_project, metric.Id, ct);
            var passes = cells.Where(cell => cell.Outcome == Outcome.Pass).Sum(cell => cell.Count);
            metrics[metric.Name] = Interval.Share(
                passes, passes + cells.Where(cell => cell.Outcome == Outcome.Fail).Sum(cell => cell.Count));
        }
        var demonstrations = 0;
        foreach (var node in score.Nodes.Keys)
            demonstrations += (await retriever.IndexAsync(_project, DemonstrationPurpose.Task, node, ct))?.Count ?? 0;
        var intent = nodes["intent"];
        var whole = Interval.Share(score.WholeRight, score.Inputs);
        return new DemoRound(
            round, intent.Value ?? 0, intent, whole.Value ?? 0, whole, person.Answered, person.Fixed, demonstrations, retrievalMs, seen,
            nodes, metrics);
    }
}
