using System.CommandLine;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Core.Projects;

namespace Flywheel.Server.Cli.Eval;

/// <param name="Database">The database that has it.</param>
sealed record ComparedRun(
    long Id, string Database, string Data, EvalAbout About, bool Finished, long Rows, GenerationTotals? Generation, double CostUsd);

/// <param name="Difference">Against the first run, over rows that both decided; null for the first run itself.</param>
sealed record ComparedRate(Interval PassRate, PairedDifference? Difference);

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
        var runs = new Argument<string[]>("runs") { Description = "Numbers of runs as `flywheel eval runs` lists them, or DATABASE:NUMBER; the first is what the others are compared with", Arity = new ArgumentArity(2, 10) };
        var flips = new Option<int>("--flips") { Description = "How many rows that flipped to show", DefaultValueFactory = _ => 10 };
        var (db, project, json) = (CommonOptions.Db(), CommonOptions.Project(), CommonOptions.Json());
        var command = new Command("compare", "Runs side by side: pass rates, paired differences with McNemar's test, and the rows that flipped") { runs, flips, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            var opened = new Dictionary<string, (IFlywheelStore Store, Project Project)>();
            try
            {
                var found = new List<(string Database, IEvalRunStore Store, EvalRunSummary Run)>();
                foreach (var given in parsed.GetValue(runs)!)
                    found.Add(await FindAsync(given, parsed.GetValue(db), parsed.GetValue(project)!, opened, ct));
                var comparison = await CompareAsync(found, ct);
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

    static async Task<(string Database, IEvalRunStore Store, EvalRunSummary Run)> FindAsync(
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
        return (there.Store.Description, there.Store.EvalRuns, await there.Store.EvalRuns.FindAsync(there.Project.Id, id, ct)
            ?? throw new FlywheelException($"{there.Store.Description} has no run {id} of project {project}: `flywheel eval runs` lists them."));
    }

    internal static async Task<EvalComparison> CompareAsync(
        IReadOnlyList<(string Database, IEvalRunStore Store, EvalRunSummary Run)> runs, CancellationToken ct)
    {
        var byRow = runs.All(run => run.Run.Run.About.DataHash == runs[0].Run.Run.About.DataHash);
        var rows = new Dictionary<string, EvalOutcomes>[runs.Count];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = await ReadAsync(runs[i].Store, runs[i].Run, byRow, runs[i].Database, ct);
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
                rates[i] = new(Interval.Share(decided.Count(passed => passed), decided.Length), i == 0 || (name != Right && places[0] < 0) ? null : Pair(i));
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
        var compared = new List<ComparedRun>();
        foreach (var (database, store, run) in runs)
            compared.Add(new(
                run.Run.Id, database, run.Run.About.Data, EvalAbout.Of(run.Run.About.About), run.FinishedAt is not null, run.Rows,
                await store.GenerationAsync(run.Run, ct), await store.SpentAsync(run.Run, ct)));
        return new(
            compared, byRow ? "row" : "id", metrics, flips);

        string? Note(string name)
        {
            if (name == Right)
                return null;
            var wordings = runs.Select(run => Wording(run.Run.Run.About.MetricsJson, name)).OfType<string>().Distinct().Count();
            return wordings > 1 ? "the runs define it differently" : null;
        }
    }

    /// <summary>By row number, or by the rows' own ids where the data differ.</summary>
    static async Task<Dictionary<string, EvalOutcomes>> ReadAsync(
        IEvalRunStore runs, EvalRunSummary run, bool byRow, string database, CancellationToken ct)
    {
        var rows = new Dictionary<string, EvalOutcomes>();
        await foreach (var row in runs.OutcomesAsync(run.Run, ct))
            if (!rows.TryAdd(byRow ? row.Row.ToString(CultureInfo.InvariantCulture) : row.Id, row))
                throw new FlywheelException($"{database}: run {run.Run.Id} has the id `{row.Id}` twice. Runs over different data are matched by id: give every row its own with --id-field.");
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
