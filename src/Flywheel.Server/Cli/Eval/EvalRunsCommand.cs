using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Server.Cli.Eval;

/// <param name="State"><c>finished</c> or <c>unfinished</c>.</param>
sealed record EvalRunLine(
    long Id, string State, string Data, EvalAbout About, long Rows, DateTimeOffset StartedAt, IReadOnlyDictionary<string, Interval> PassRates,
    GenerationTotals? Generation, double CostUsd);

/// <summary>The runs of a project.</summary>
static class EvalRunsCommand
{
    public static Command Create()
    {
        var limit = new Option<int>("--limit") { Description = "The newest so many", DefaultValueFactory = _ => 20 };
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var command = new Command("runs", "List the runs of a project, newest first") { limit, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(limit) is < 1 or > 10_000)
                throw new UsageException("--limit must be from 1 to 10000.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var lines = new List<EvalRunLine>();
            foreach (var run in await store.EvalRuns.ListAsync(owner.Id, parsed.GetValue(limit), ct))
                lines.Add(await LineAsync(store.EvalRuns, run, ct));
            if (parsed.GetValue(json))
                Output.Json(lines);
            else if (lines.Count == 0)
                Console.WriteLine("There are no runs.");
            else
                EvalReport.Print(
                    ["run", "made by", "data", "rows", "started", "USD", "pass rates"],
                    lines.Select(line => new[]
                    {
                        line.Id.ToString(CultureInfo.InvariantCulture) + (line.State == "finished" ? "" : " (unfinished)"), EvalReport.Short(line.About.Title()),
                        EvalReport.Short(line.Data), line.Rows.ToString("N0", CultureInfo.InvariantCulture),
                        line.StartedAt.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture), line.CostUsd.ToString("0.####", CultureInfo.InvariantCulture),
                        string.Join(", ", line.PassRates.Take(4).Select(rate => string.Create(CultureInfo.InvariantCulture, $"{rate.Key} {(rate.Value.Value is { } share ? $"{100 * share:0.#} %" : "-")}")))
                            + (line.PassRates.Count > 4 ? ", …" : ""),
                    }));
            return ExitCodes.Ok;
        });
        return command;
    }

    static async Task<EvalRunLine> LineAsync(IEvalRunStore runs, EvalRunSummary it, CancellationToken ct)
    {
        var counts = await runs.CountsAsync(it.Run, ct);
        return new(
            it.Run.Id, it.FinishedAt is null ? "unfinished" : "finished", it.Run.About.Data, EvalAbout.Of(it.Run.About.About), it.Rows, it.Run.StartedAt,
            it.Run.About.Metrics.Select((name, i) => (name, Rate: EvalRuns.PassRate(counts, i))).ToDictionary(each => each.name, each => each.Rate),
            await runs.GenerationAsync(it.Run, ct), await runs.SpentAsync(it.Run, ct));
    }
}

static class EvalRuns
{
    public static Interval PassRate(IReadOnlyList<EvalCount> counts, int metric)
    {
        long Of(Outcome outcome) => counts.Where(count => count.Metric == metric && count.Outcome == outcome).Sum(count => count.Count);
        return Interval.Share(Of(Outcome.Pass), Of(Outcome.Pass) + Of(Outcome.Fail));
    }
}
