using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Server.Features.Metrics;
using Flywheel.Storage.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <param name="State"><c>finished</c> or <c>unfinished</c>.</param>
sealed record EvalRunLine(
    long Id, string State, string Data, EvalAbout About, long Rows, DateTimeOffset StartedAt, IReadOnlyDictionary<string, Rate> PassRates,
    GenerationTotals? Generation, double CostUsd);

/// <summary>The runs of a results file.</summary>
static class EvalRunsCommand
{
    public static Command Create()
    {
        var results = EvalRuns.Results();
        var limit = new Option<int>("--limit") { Description = "The newest so many", DefaultValueFactory = _ => 20 };
        var json = CommonOptions.Json();
        var command = new Command("runs", "List the runs of a results file, newest first") { results, limit, json };
        command.SetAction(parsed =>
        {
            if (parsed.GetValue(limit) is < 1 or > 10_000)
                throw new UsageException("--limit must be from 1 to 10000.");
            using var file = EvalRuns.Open(parsed.GetValue(results)!);
            var lines = file.Runs(parsed.GetValue(limit)).Select(each => Line(file, each)).ToArray();
            if (parsed.GetValue(json))
                Output.Json(lines);
            else if (lines.Length == 0)
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

    static EvalRunLine Line(EvalFile file, EvalRunSummary it)
    {
        var counts = file.Counts(it.Run);
        return new(
            it.Run.Id, it.FinishedAt is null ? "unfinished" : "finished", it.Run.About.Data, EvalAbout.Of(it.Run.About.About), it.Rows, it.Run.StartedAt,
            it.Run.About.Metrics.Select((name, i) => (name, Rate: EvalRuns.PassRate(counts, i))).ToDictionary(each => each.name, each => each.Rate),
            file.Generation(it.Run), file.Spent(it.Run));
    }
}

static class EvalRuns
{
    public static Option<string> Results() => new("--results") { Description = "SQLite file with the runs", DefaultValueFactory = _ => "flywheel-eval.db" };

    /// <summary>A file that is not there is a slip, not a new one.</summary>
    public static EvalFile Open(string path) =>
        File.Exists(path) ? EvalFile.Open(path) : throw new FlywheelException($"There is no results file {path}: `flywheel eval` makes one, --results names another.");

    public static Rate PassRate(IReadOnlyList<EvalCount> counts, int metric)
    {
        long Of(Outcome outcome) => counts.Where(count => count.Metric == metric && count.Outcome == outcome).Sum(count => count.Count);
        return Rate.Of(Of(Outcome.Pass), Of(Outcome.Pass) + Of(Outcome.Fail));
    }
}
