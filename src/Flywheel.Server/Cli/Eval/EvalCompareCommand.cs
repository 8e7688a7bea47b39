using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Server.Features.Metrics;
using Flywheel.Storage.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <param name="File">The results file that has it.</param>
sealed record ComparedRun(
    long Id, string File, string Data, EvalAbout About, bool Finished, long Rows, GenerationTotals? Generation, double CostUsd);

/// <param name="Difference">Against the first run, over rows that both decided; null for the first run itself.</param>
sealed record ComparedRate(Rate PassRate, PairedDifference? Difference);

/// <param name="Note">What makes the comparison doubtful; null when nothing does.</param>
sealed record ComparedMetric(string Name, IReadOnlyList<ComparedRate?> Runs, string? Note);

/// <param name="Run">Place in the list of runs, from 1, of the run that differs from the first.</param>
/// <param name="From">What the first run's output was given; <paramref name="First"/> and <paramref name="Other"/> are the outputs' beginnings.</param>
sealed record FlippedRow(string Metric, int Run, int Row, string Id, string From, string To, string? First, string? Other);

/// <param name="Pairing"><c>row</c>: the same data; <c>id</c>: rows are matched by their ids.</param>
sealed record EvalComparison(IReadOnlyList<ComparedRun> Runs, string Pairing, IReadOnlyList<ComparedMetric> Metrics, IReadOnlyList<FlippedRow> Flips);

/// <summary>Runs side by side: pass rates, paired differences, and the rows that flipped.</summary>
static class EvalCompareCommand
{
    /// <summary>The share of right classes, compared like a metric.</summary>
    const string Right = "right class";

    public static Command Create()
    {
        var runs = new Argument<string[]>("runs") { Description = "Numbers of runs as `flywheel eval runs` lists them, or FILE:NUMBER; the first is what the others are compared with", Arity = new ArgumentArity(2, 10) };
        var results = EvalRuns.Results();
        var flips = new Option<int>("--flips") { Description = "How many rows that flipped to show", DefaultValueFactory = _ => 10 };
        var json = CommonOptions.Json();
        var command = new Command("compare", "Runs side by side: pass rates, paired differences with McNemar's test, and the rows that flipped") { runs, results, flips, json };
        command.SetAction(parsed =>
        {
            var opened = new Dictionary<string, EvalFile>();
            try
            {
                var comparison = Compare([.. parsed.GetValue(runs)!.Select(given => Find(given, parsed.GetValue(results)!, opened))]);
                if (parsed.GetValue(json))
                    Output.Json(comparison);
                else
                    Show(comparison, parsed.GetValue(flips));
                return ExitCodes.Ok;
            }
            finally
            {
                foreach (var file in opened.Values)
                    file.Dispose();
            }
        });
        return command;
    }

    static (string Path, EvalFile File, EvalRunSummary Run) Find(string given, string results, Dictionary<string, EvalFile> opened)
    {
        var (path, number) = given.LastIndexOf(':') is var at and > 0 ? (given[..at], given[(at + 1)..]) : (results, given);
        if (!long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
            throw new UsageException($"`{given}` names no run: give a number, or FILE:NUMBER.");
        if (!opened.TryGetValue(path, out var file))
            opened[path] = file = EvalRuns.Open(path);
        return (path, file, file.Find(id) ?? throw new FlywheelException($"{path} has no run {id}: `flywheel eval runs` lists them."));
    }

    internal static EvalComparison Compare(IReadOnlyList<(string Path, EvalFile File, EvalRunSummary Run)> runs)
    {
        var byRow = runs.All(run => run.Run.Run.About.DataHash == runs[0].Run.Run.About.DataHash);
        var rows = runs.Select(run => Read(run.File, run.Run, byRow, run.Path)).ToArray();
        if (runs.Skip(1).Select((run, i) => (run, i)).FirstOrDefault(each => !rows[each.i + 1].Keys.Any(rows[0].ContainsKey)) is { run.Run: { } apart })
            throw new FlywheelException($"Runs {runs[0].Run.Run.Id} and {apart.Run.Id} have no row in common: they are over different data.");
        var names = runs.SelectMany(run => run.Run.Run.About.Metrics).Distinct().ToList();
        if (rows.All(each => each.Values.Any(row => row.Expected is not null && row.Predicted is not null)))
            names.Insert(0, Right);
        var (metrics, flips) = (new List<ComparedMetric>(), new List<FlippedRow>());
        foreach (var name in names)
        {
            var places = runs.Select(run => name == Right ? -1 : run.Run.Run.About.Metrics.ToList().IndexOf(name)).ToArray();
            var rates = new ComparedRate?[runs.Count];
            for (var i = 0; i < runs.Count; i++)
            {
                if (name != Right && places[i] < 0)
                    continue;
                var decided = rows[i].Values.Select(row => Decided(row, places[i])).OfType<bool>().ToArray();
                rates[i] = new(Rate.Of(decided.Count(passed => passed), decided.Length), i == 0 || (name != Right && places[0] < 0) ? null : Pair(i));
            }
            metrics.Add(new(name, rates, Note(name)));

            PairedDifference Pair(int other)
            {
                long both = 0, first = 0, second = 0, none = 0;
                foreach (var (key, row) in rows[0])
                {
                    if (Decided(row, places[0]) is not { } one || !rows[other].TryGetValue(key, out var counterpart) || Decided(counterpart, places[other]) is not { } two)
                        continue;
                    _ = (one, two) switch
                    {
                        (true, true) => both++,
                        (true, false) => first++,
                        (false, true) => second++,
                        _ => none++,
                    };
                    if (one != two)
                        flips.Add(new(name, other + 1, row.Row, row.Id, Word(one), Word(two), row.Excerpt, counterpart.Excerpt));
                }
                return PairedDifference.Of(both, first, second, none);
            }
        }
        return new(
            [.. runs.Select(run => new ComparedRun(
                run.Run.Run.Id, run.Path, run.Run.Run.About.Data, EvalAbout.Of(run.Run.Run.About.About), run.Run.FinishedAt is not null, run.Run.Rows,
                run.File.Generation(run.Run.Run), run.File.Spent(run.Run.Run)))],
            byRow ? "row" : "id", metrics, flips);

        string? Note(string name)
        {
            if (name == Right)
                return null;
            var wordings = runs.Select(run => Wording(run.Run.Run.About.MetricsJson, name)).OfType<string>().Distinct().Count();
            return wordings > 1 ? "the runs define it differently" : null;
        }
    }

    /// <summary>By row number, or by the rows' own ids where the data differ.</summary>
    static Dictionary<string, EvalOutcomes> Read(EvalFile file, EvalRunSummary run, bool byRow, string path)
    {
        var rows = new Dictionary<string, EvalOutcomes>();
        foreach (var row in file.OutcomesOf(run.Run))
            if (!rows.TryAdd(byRow ? row.Row.ToString(CultureInfo.InvariantCulture) : row.Id, row))
                throw new FlywheelException($"{path}: run {run.Run.Id} has the id `{row.Id}` twice. Runs over different data are matched by id: give every row its own with --id-field.");
        return rows;
    }

    /// <summary>Null when neither pass nor fail.</summary>
    static bool? Decided(EvalOutcomes row, int metric) => metric < 0
        ? row is { Expected: { } expected, Predicted: { } predicted } ? expected == predicted : null
        : row.Outcomes[metric] switch { Outcome.Pass => true, Outcome.Fail => false, _ => null };

    static string Word(bool passed) => passed ? "pass" : "fail";

    static string? Wording(string metricsJson, string name)
    {
        var metric = System.Text.Json.JsonElement.Parse(metricsJson).EnumerateArray().FirstOrDefault(each => each.GetProperty("Name").GetString() == name);
        return metric.ValueKind == System.Text.Json.JsonValueKind.Undefined ? null : metric.GetProperty("Criterion").GetRawText() + metric.GetProperty("Validator").GetRawText();
    }

    static void Show(EvalComparison it, int shown)
    {
        for (var i = 0; i < it.Runs.Count; i++)
        {
            var run = it.Runs[i];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"[{i + 1}] run {run.Id}{(run.Finished ? "" : " (unfinished)")}: {run.About.Title()}; {run.Data}, {run.Rows:N0} rows, {run.CostUsd:0.####} USD{(run.Generation is { } made ? $", {made.InputTokens + made.OutputTokens:N0} tokens, {made.MedianMs:0} ms at the median" : "")}"));
        }
        Console.WriteLine();
        EvalReport.Print(
            ["metric", .. it.Runs.Select((_, i) => $"[{i + 1}]"), .. it.Runs.Skip(1).SelectMany((_, i) => new[] { $"[{i + 2}]-[1], points", "better", "worse", "p" })],
            it.Metrics.Select(metric => (string[])
            [
                metric.Name + (metric.Note is null ? "" : " *"),
                .. metric.Runs.Select(run => run is null ? "-" : EvalReport.Range(run.PassRate.Value, run.PassRate.Low, run.PassRate.High)),
                .. metric.Runs.Skip(1).SelectMany(run => run?.Difference is { } pair
                    ? new[]
                    {
                        pair.Difference.Value is { } value
                            ? string.Create(CultureInfo.InvariantCulture, $"{100 * value:+0.0;-0.0;0.0} ({100 * pair.Difference.Low:+0.0;-0.0;0.0} to {100 * pair.Difference.High:+0.0;-0.0;0.0})")
                            : "no row in common",
                        pair.OnlySecond.ToString("N0", CultureInfo.InvariantCulture), pair.OnlyFirst.ToString("N0", CultureInfo.InvariantCulture),
                        pair.PValue < 0.0001 ? "<0.0001" : pair.PValue.ToString("0.0000", CultureInfo.InvariantCulture),
                    }
                    : ["-", "-", "-", "-"]),
            ]));
        Console.WriteLine("Pass rates with 95 % intervals; differences over the rows that both runs decided; p of McNemar's exact test, for one comparison at a time.");
        foreach (var metric in it.Metrics.Where(metric => metric.Note is not null))
            Console.WriteLine($"* {metric.Name}: {metric.Note}.");
        if (it.Pairing == "id")
            Console.WriteLine("The runs are over different data: rows are matched by id.");
        if (it.Flips.Count > 0 && shown > 0)
            Console.WriteLine($"\nRows that flipped{(it.Flips.Count > shown ? string.Create(CultureInfo.InvariantCulture, $" ({shown:N0} of {it.Flips.Count:N0}; --json gives all)") : "")}:");
        foreach (var flip in it.Flips.OrderByDescending(flip => flip.From == "pass").ThenBy(flip => flip.Row).Take(shown))
        {
            Console.WriteLine($"  row {flip.Row}{(flip.Id == flip.Row.ToString(CultureInfo.InvariantCulture) ? "" : $" ({flip.Id})")}, {flip.Metric}: {flip.From} in [1], {flip.To} in [{flip.Run}]");
            Console.WriteLine($"    [1] {EvalReport.Short(flip.First)}");
            Console.WriteLine($"    [{flip.Run}] {EvalReport.Short(flip.Other)}");
        }
    }
}
