using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <summary>Runs side by side: pass rates, paired differences, and the rows that flipped.</summary>
static class EvalCompareCommand
{
    public static Command Create()
    {
        var runs = new Argument<string[]>(
            "runs") { Description = "Numbers of runs from `flywheel eval runs`, or DATABASE:NUMBER; the others are compared with the first",
            Arity = new ArgumentArity(2, 10) };
        var flips = new Option<int>("--flips") { Description = "Number of changed rows to print", DefaultValueFactory = _ => 10 };
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var command = new Command(
            "compare", "Compare runs: pass rates, paired differences with McNemar's test, and the rows whose outcome changed") { runs,
            flips, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            var opened = new Dictionary<string, (IFlywheelStore Store, Project Project)>();
            try
            {
                var found = new List<ComparableRun>();
                foreach (var given in parsed.GetValue(runs)!)
                    found.Add(await FindAsync(given, parsed.GetValue(db), parsed.GetValue(project)!, opened, ct));
                var comparison = await EvalComparer.OfAsync(found, ct);
                if (parsed.GetValue(json))
                    Output.Json(comparison);
                else
                    Show(comparison, parsed.GetValue(flips));
                return ExitCodes.Ok;
            }
            finally
            {
                foreach (var (store, _) in opened.Values)
                    await store.DisposeAsync();
            }
        });
        return command;
    }

    static async Task<ComparableRun> FindAsync(
        string given, string? db, string project, Dictionary<string, (IFlywheelStore Store, Project Project)> opened, CancellationToken ct)
    {
        var (url, number) = given.LastIndexOf(':') is var at and > 0 ? (given[..at], given[(at + 1)..]) : (db, given);
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            throw new UsageException($"`{given}` names no run: give a number, or DATABASE:NUMBER.");
        if (!opened.TryGetValue(url ?? "", out var there))
        {
            var store = await CommonOptions.OpenExistingAsync(url, ct);
            opened[url ?? ""] = there = (store, await CommonOptions.ProjectAsync(store, project, ct));
        }
        return new(there.Store.Description, there.Store.EvalRuns, await there.Store.EvalRuns.FindAsync(there.Project.Id, id, ct)
            ?? throw new FlywheelException(
                $"{there.Store.Description} has no run {id} of project {project}: `flywheel eval runs` lists them."));
    }

    static void Show(EvalComparison it, int shown)
    {
        for (var i = 0; i < it.Runs.Count; i++)
        {
            var run = it.Runs[i];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"[{i + 1}] run {run.Id}{(run.Finished ? "" : " (unfinished)")}: {run.About.Title()}; {run.Data}, {run.Rows:N0} rows, "
                    + $"{run.CostUsd:0.####} USD{(run.Generation is { } made ? $", {made.InputTokens + made.OutputTokens:N0} tokens, {made.MedianMs:0} ms at the median" : "")}"));
        }
        Console.WriteLine();
        EvalText.Print(
            ["metric", .. it.Runs.Select((_, i) => $"[{i + 1}]"),
                .. it.Runs.Skip(1).SelectMany((_, i) => new[] { $"[{i + 2}]-[1], points", "better", "worse", "p" })],
            it.Metrics.Select(metric => (string[])
            [
                metric.Name + (metric.Note is null ? "" : " *"),
                .. metric.Runs.Select(run => run is null ? "-" : EvalText.Range(run.PassRate.Value, run.PassRate.Low, run.PassRate.High)),
                .. metric.Runs.Skip(1).SelectMany(run => run?.Difference is { } pair
                    ? new[]
                    {
                        pair.Difference.Value is { } value
                            ? string.Create(CultureInfo.InvariantCulture,
                                $"{100 * value:+0.0;-0.0;0.0} ({100 * pair.Difference.Low:+0.0;-0.0;0.0} to "
                                    + $"{100 * pair.Difference.High:+0.0;-0.0;0.0})")
                            : "no row in common",
                        pair.OnlySecond.ToString("N0", CultureInfo.InvariantCulture),
                        pair.OnlyFirst.ToString("N0", CultureInfo.InvariantCulture),
                        pair.PValue < 0.0001 ? "<0.0001" : pair.PValue.ToString("0.0000", CultureInfo.InvariantCulture),
                    }
                    : ["-", "-", "-", "-"]),
            ]));
        Console.WriteLine("Pass rates with 95 % intervals; differences over the rows that both runs decided; p of McNemar's exact test, "
            + "for one comparison at a time.");
        foreach (var metric in it.Metrics.Where(metric => metric.Note is not null))
            Console.WriteLine($"* {metric.Name}: {metric.Note}.");
        if (it.Pairing == "id")
            Console.WriteLine("The runs are over different data: rows are matched by id.");
        if (it.Flips.Count > 0 && shown > 0)
            Console.WriteLine($"\nRows that flipped{(it.Flips.Count > shown ? string.Create(CultureInfo.InvariantCulture, $" ({shown:N0} of {it.Flips.Count:N0}; --json gives all)") : "")}:");
        foreach (var flip in it.Flips.OrderByDescending(flip => flip.From == "pass").ThenBy(flip => flip.Row).Take(shown))
        {
            Console.WriteLine($"  row {flip.Row}{(flip.Id == flip.Row.ToString(CultureInfo.InvariantCulture) ? "" : $" ({flip.Id})")}, "
                + $"{flip.Metric}: {flip.From} in [1], {flip.To} in [{flip.Run}]");
            Console.WriteLine($"    [1] {EvalText.Short(flip.First)}");
            Console.WriteLine($"    [{flip.Run}] {EvalText.Short(flip.Other)}");
        }
    }
}
