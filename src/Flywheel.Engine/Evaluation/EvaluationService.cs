using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Evaluation;

/// <summary>Runs evaluations, and reads what they found.</summary>
public sealed class EvaluationService(IEvalRunStore runs, IFaultClassifier faults, TimeProvider clock)
{
    const int MaxListed = 10_000;

    /// <summary>Evaluates every row, or goes on with a run over the same rows and metrics that was cut short.</summary>
    /// <param name="report">Called with the number of rows done, and about how many there are.</param>
    /// <exception cref="RequestException">
    /// The plan cannot work; <c>budget_used_up</c> if rows are left because of <see cref="EvalPlan.MaxUsd"/>: the same plan with a higher
    /// limit goes on.
    /// </exception>
    public async Task<EvalRun> RunAsync(Caller caller, EvalPlan plan, Action<long, long> report, CancellationToken ct)
    {
        var options = plan.Options;
        var (hash, count) = await plan.Rows.Source.FingerprintAsync(ct);
        plan.Rows.CheckMapping();
        var generation = plan.Answers is null ? null : new Generation(plan.Answers.Plan, faults, options, clock, new Random());
        Check(plan, generation);
        var run = await runs.BeginAsync(caller.Project, plan.Describe(hash), plan.Afresh, clock.GetUtcNow(), ct);
        var budget = plan.MaxUsd is { } dollars ? new EvalBudget(dollars, await runs.SpentAsync(run, ct), clock) : null;
        var evaluation = new Evaluation(plan.Metrics, faults, options, clock, new Random())
        {
            Budget = budget,
            Answer = generation is null ? null : Answer(run, generation, await runs.UncheckedAsync(run, ct)),
        };
        var done = (long)run.Resumed;
        await evaluation.RunAsync(
            plan.Rows.Raw(await runs.DoneAsync(run, ct)), plan.Rows.Read,
            async cases =>
            {
                await runs.AddAsync(run, cases, CancellationToken.None);
                report(done += cases.Count, count);
            },
            ct);
        if (budget is { IsUsedUp: true })
            throw await UsedUpAsync(run, count, ct);
        await runs.FinishAsync(run, clock.GetUtcNow(), ct);
        return run;
    }

    /// <summary>What a run found.</summary>
    /// <param name="database">Where it is kept, for people.</param>
    /// <param name="seconds">How long it took.</param>
    /// <param name="worst">Number of the worst rows to include.</param>
    public async Task<EvalReport> ReportAsync(EvalRun run, EvalPlan plan, string database, double seconds, int worst, CancellationToken ct)
    {
        var (metrics, thresholds) = (plan.Metrics, plan.Thresholds);
        var counts = await runs.CountsAsync(run, ct);
        var views = metrics.Select((metric, i) => View(metric, [.. counts.Where(count => count.Metric == i)])).ToArray();
        var classes = plan.Compares ? new EvalClassification(
            await runs.IncomparableAsync(run, ct), Classification.Of(await runs.ConfusionAsync(run, ct))) : null;
        ThresholdView[] met = [.. thresholds.Select(each => Compare(each.Name, each.Minimum, each.Name switch
        {
            EvalReport.Accuracy when classes is not null => classes.Scores.Accuracy.Value,
            EvalReport.MacroF1 when classes is not null => classes.Scores.MacroF1.Value,
            _ => views.First(view => view.Name == each.Name).PassRate.Value,
        }))];
        var faults = (await runs.WorstAsync(run, worst, ct))
            .GroupBy(fault => (fault.Row, fault.Id, fault.Excerpt))
            .Select(row => new EvalRowView(row.Key.Row, row.Key.Id, row.Key.Excerpt,
                [.. row.Select(fault =>
                    new EvalFaultView(metrics[fault.Metric].Metric.Name, Wire.Name(fault.Outcome), fault.Score, fault.Reason))]))
            .ToArray();
        var rows = metrics.Count == 0 ? 0 : counts.Where(count => count.Metric == 0).Sum(count => count.Count);
        return new(
            met.All(threshold => threshold.Met),
            new(run.Id, run.About.Data, rows, run.Resumed, database, run.StartedAt, Math.Round(seconds, 3), EvalAbout.Of(run.About.About)),
            views,
            classes, met, faults, await runs.GenerationAsync(run, ct));
    }

    /// <summary>Every outcome of a run, metric by metric, in the order of the rows.</summary>
    public async IAsyncEnumerable<(EvalMetric Metric, EvalFault Finding)> FindingsAsync(
        EvalRun run, EvalPlan plan, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        for (var i = 0; i < plan.Metrics.Count; i++)
            await foreach (var finding in runs.FindingsAsync(run, i, ct))
                yield return (plan.Metrics[i], finding);
    }

    /// <summary>Runs of a project, the newest first.</summary>
    /// <exception cref="RequestException"><c>invalid_limit</c>.</exception>
    public async Task<IReadOnlyList<EvalRunLine>> ListAsync(Caller caller, int limit, CancellationToken ct)
    {
        if (limit is < 1 or > MaxListed)
            throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to {MaxListed}.");
        var lines = new List<EvalRunLine>();
        foreach (var it in await runs.ListAsync(caller.Project, limit, ct))
        {
            var counts = await runs.CountsAsync(it.Run, ct);
            lines.Add(new(
                it.Run.Id, it.FinishedAt is null ? "unfinished" : "finished", it.Run.About.Data, EvalAbout.Of(it.Run.About.About), it.Rows,
                it.Run.StartedAt,
                it.Run.About.Metrics.Select((name, i) => (name, Rate: PassRate(counts, i)))
                    .ToDictionary(each => each.name, each => each.Rate),
                await runs.GenerationAsync(it.Run, ct), await runs.SpentAsync(it.Run, ct)));
        }
        return lines;
    }

    /// <summary>An output that was paid for is kept before its row is checked, and is not made twice.</summary>
    Func<EvalCase, CancellationToken, ValueTask<EvalCase>> Answer(
        EvalRun run, Generation generation, IReadOnlyDictionary<int, GeneratedOutput> paid) => async (one, stop) =>
    {
        if (one.Span is null)
            return one;
        if (paid.TryGetValue(one.Row, out var kept))
            return Generation.With(one, kept, paidNow: false);
        var made = await generation.AskAsync(one, stop);
        await runs.AddAsync(run, made, CancellationToken.None);
        return Generation.With(one, made, paidNow: true);
    };

    static void Check(EvalPlan plan, Generation? generation)
    {
        if (plan.Concurrency is < 1 or > 256)
            throw RequestException.BadField("concurrency", "`concurrency` must be from 1 to 256.");
        if (plan.MaxUsd is { } limit && !(double.IsFinite(limit) && limit > 0))
            throw RequestException.BadField("max_usd", "`max_usd` must be more than 0.");
        if (plan.MaxUsd is not null && plan.Answers is { HasPrice: false, About: var about })
            throw RequestException.BadField(
                "max_usd",
                $"`max_usd` cannot hold: the price of `{about.Model}` is unknown. Set Models:Chat:{about.Model}:input_usd_per_million and "
                + $"output_usd_per_million, or Prices:{about.ModelId}.");
        foreach (var each in plan.Thresholds)
            CheckThreshold(each, plan);
        if (generation is null || plan.Rows.First() is not { } first || generation.Missing(first) is not { Count: > 0 } missing)
            return;
        throw RequestException.BadField(
            "prompt",
            $"The first row has no {string.Join(" and no ", missing.Select(each => $"`{each}`"))}, which the prompt needs."
            + (missing.Any(plan.Rows.Fields.Hidden.Contains) ? " Fields that hold the answer are not shown to the model." : ""));
    }

    static void CheckThreshold(EvalThreshold it, EvalPlan plan)
    {
        if (plan.Metrics.Any(metric => metric.Metric.Name == it.Name))
            return;
        var compared = it.Name is EvalReport.Accuracy or EvalReport.MacroF1;
        if (compared && plan.Compares)
            return;
        throw RequestException.BadField("fail_under", compared
            ? $"The threshold `{it.Name}` needs the field with the right class."
            : $"The set has no metric `{it.Name}`, only {string.Join(", ", plan.Metrics.Select(metric => metric.Metric.Name))}.");
    }

    async Task<RequestException> UsedUpAsync(EvalRun run, long count, CancellationToken ct)
    {
        var (done, spent) = ((await runs.DoneAsync(run, ct)).Count, await runs.SpentAsync(run, ct));
        return new(RequestErrorKind.RateLimited, "budget_used_up", string.Create(
            CultureInfo.InvariantCulture,
            $"`max_usd` is used up: run {run.Id} has {done:N0} of about {count:N0} rows and cost {spent:0.####} USD. Nothing of it is "
                + $"lost: the same command with a higher limit goes on."));
    }

    static Interval PassRate(IReadOnlyList<EvalCount> counts, int metric)
    {
        long Of(Outcome outcome) => counts.Where(count => count.Metric == metric && count.Outcome == outcome).Sum(count => count.Count);
        return Interval.Share(Of(Outcome.Pass), Of(Outcome.Pass) + Of(Outcome.Fail));
    }

    static EvalMetricView View(EvalMetric metric, EvalCount[] counts)
    {
        long Of(Outcome outcome) => counts.Where(count => count.Outcome == outcome).Sum(count => count.Count);
        return new(
            metric.Metric.Name, metric.Metric.Criterion, metric.Validator.Version, Enum.GetValues<Outcome>().ToDictionary(Wire.Name, Of),
            Interval.Share(Of(Outcome.Pass), Of(Outcome.Pass) + Of(Outcome.Fail)), counts.Sum(count => count.CostUsd));
    }

    static ThresholdView Compare(string name, double minimum, double? value) => new(name, minimum, value, value >= minimum);
}
