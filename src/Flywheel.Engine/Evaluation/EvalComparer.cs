using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Evaluation;

/// <summary>Compares runs: pass rates, paired differences, and the rows that flipped.</summary>
public static class EvalComparer
{
    /// <summary>The share of right classes, compared like a metric.</summary>
    const string Right = "right class";

    /// <param name="runs">The first is what the others are compared with.</param>
    /// <exception cref="FlywheelException">Two runs have no row in common, or rows over different data have an id twice.</exception>
    public static async Task<EvalComparison> OfAsync(IReadOnlyList<ComparableRun> runs, CancellationToken ct)
    {
        var byRow = runs.All(run => run.Run.Run.About.DataHash == runs[0].Run.Run.About.DataHash);
        var rows = new Dictionary<string, EvalOutcomes>[runs.Count];
        for (var i = 0; i < rows.Length; i++)
            rows[i] = await ReadAsync(runs[i].Store, runs[i].Run, byRow, runs[i].Database, ct);
        if (runs.Skip(1).Select((run, i) => (run, i))
            .FirstOrDefault(each => !rows[each.i + 1].Keys.Any(rows[0].ContainsKey)) is { run.Run: { } apart })
            throw new FlywheelException(
                $"Runs {runs[0].Run.Run.Id} and {apart.Run.Id} have no row in common: they are over different data.");
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
                rates[i] = new(Interval.Share(decided.Count(passed => passed), decided.Length), i == 0
                    || (name != Right && places[0] < 0) ? null : Pair(i));
            }
            metrics.Add(new(name, rates, Note(name)));

            PairedDifference Pair(int other)
            {
                long both = 0, first = 0, second = 0, none = 0;
                foreach (var (key, row) in rows[0])
                {
                    if (Decided(row, places[0]) is not { } one || !rows[other].TryGetValue(key, out var counterpart)
                        || Decided(counterpart, places[other]) is not { } two)
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
                throw new FlywheelException(
                    $"{database}: run {run.Run.Id} has the id `{row.Id}` twice. Runs over different data are matched by id: give every "
                        + $"row its own with --id-field.");
        return rows;
    }

    /// <summary>Null when neither pass nor fail.</summary>
    static bool? Decided(EvalOutcomes row, int metric) => metric < 0
        ? row is { Expected: { } expected, Predicted: { } predicted } ? expected == predicted : null
        : row.Outcomes[metric] switch { Outcome.Pass => true, Outcome.Fail => false, _ => null };

    static string Word(bool passed) => passed ? "pass" : "fail";

    static string? Wording(string metricsJson, string name)
    {
        var metric = System.Text.Json.JsonElement.Parse(metricsJson).EnumerateArray()
            .FirstOrDefault(each => each.GetProperty("Name").GetString() == name);
        return metric.ValueKind == System.Text.Json.JsonValueKind.Undefined ? null : metric.GetProperty("Criterion").GetRawText()
            + metric.GetProperty("Validator").GetRawText();
    }
}
