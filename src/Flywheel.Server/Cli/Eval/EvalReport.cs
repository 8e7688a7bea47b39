using System.Globalization;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <param name="Rows">Rows with outcomes, those of earlier processes included.</param>
/// <param name="Resumed">Rows that an earlier process had finished.</param>
/// <param name="Results">The database that has them.</param>
/// <param name="About">What made the outputs.</param>
sealed record EvalRunView(long Id, string Data, long Rows, long Resumed, string Results, DateTimeOffset StartedAt, double Seconds, EvalAbout About);

/// <param name="PassRate">Passes of passes and fails; unsure, skipped and error are in no rate.</param>
sealed record EvalMetricView(
    string Name, string Criterion, string ValidatorVersion, IReadOnlyDictionary<string, long> Outcomes, Interval PassRate, double CostUsd);

sealed record EvalFaultView(string Metric, string Outcome, double? Score, string? Reason);

sealed record EvalRowView(int Row, string Id, string? Output, IReadOnlyList<EvalFaultView> Faults);

/// <param name="Value">Null when nothing was decided, and then the threshold is not met.</param>
sealed record ThresholdView(string Name, double Minimum, double? Value, bool Met);

/// <param name="Incomparable">Rows without an output or a right class, which the scores leave out.</param>
sealed record EvalClassification(long Incomparable, Classification Scores);

/// <summary>What an evaluation found, for people and programs.</summary>
/// <param name="Generation">Null when the outputs were in the file.</param>
/// <param name="Passed">Every threshold is met.</param>
sealed record EvalReport(
    bool Passed, EvalRunView Run, IReadOnlyList<EvalMetricView> Metrics, EvalClassification? Classification,
    IReadOnlyList<ThresholdView> Thresholds, IReadOnlyList<EvalRowView> Worst, GenerationTotals? Generation)
{
    public const string Accuracy = "accuracy";
    public const string MacroF1 = "macro_f1";

    public static async Task<EvalReport> OfAsync(
        IEvalRunStore runs, EvalRun run, string database, double seconds, IReadOnlyList<EvalMetric> metrics, bool compares,
        IReadOnlyList<(string Name, double Minimum)> minima, int worst, CancellationToken ct)
    {
        var counts = await runs.CountsAsync(run, ct);
        var views = metrics.Select((metric, i) => View(metric, [.. counts.Where(count => count.Metric == i)])).ToArray();
        var classes = compares ? new EvalClassification(
            await runs.IncomparableAsync(run, ct), Core.Statistics.Classification.Of(await runs.ConfusionAsync(run, ct))) : null;
        ThresholdView[] thresholds = [.. minima.Select(each => Compare(each.Name, each.Minimum, each.Name switch
        {
            Accuracy when classes is not null => classes.Scores.Accuracy.Value,
            MacroF1 when classes is not null => classes.Scores.MacroF1.Value,
            _ => views.First(view => view.Name == each.Name).PassRate.Value,
        }))];
        var faults = (await runs.WorstAsync(run, worst, ct))
            .GroupBy(fault => (fault.Row, fault.Id, fault.Excerpt))
            .Select(row => new EvalRowView(row.Key.Row, row.Key.Id, row.Key.Excerpt,
                [.. row.Select(fault => new EvalFaultView(metrics[fault.Metric].Metric.Name, Wire.Name(fault.Outcome), fault.Score, fault.Reason))]))
            .ToArray();
        var rows = metrics.Count == 0 ? 0 : counts.Where(count => count.Metric == 0).Sum(count => count.Count);
        return new(
            thresholds.All(threshold => threshold.Met), new(run.Id, run.About.Data, rows, run.Resumed, database, run.StartedAt, Math.Round(seconds, 3), EvalAbout.Of(run.About.About)), views,
            classes, thresholds, faults, await runs.GenerationAsync(run, ct));
    }

    static EvalMetricView View(EvalMetric metric, EvalCount[] counts)
    {
        long Of(Outcome outcome) => counts.Where(count => count.Outcome == outcome).Sum(count => count.Count);
        return new(
            metric.Metric.Name, metric.Metric.Criterion, metric.Validator.Version, Enum.GetValues<Outcome>().ToDictionary(Wire.Name, Of),
            Interval.Share(Of(Outcome.Pass), Of(Outcome.Pass) + Of(Outcome.Fail)), counts.Sum(count => count.CostUsd));
    }

    static ThresholdView Compare(string name, double minimum, double? value) => new(name, minimum, value, value >= minimum);

    public void Show()
    {
        Print(
            ["metric", "pass rate (95 % interval)", "pass", "fail", "unsure", "skipped", "error"],
            Metrics.Select(metric => new[] { metric.Name, Range(metric.PassRate.Value, metric.PassRate.Low, metric.PassRate.High) }
                .Concat(metric.Outcomes.Values.Select(count => count.ToString("N0", CultureInfo.InvariantCulture))).ToArray()));
        if (Generation is { } made)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Run.About.Title()}: {made.Rows:N0} outputs{(made.Errors > 0 ? $", {made.Errors:N0} of them failed" : "")}, {made.InputTokens:N0} tokens in and {made.OutputTokens:N0} out, {made.CostUsd:0.####} USD; {made.MedianMs:0} ms at the median, {made.SlowMs:0} at 95 %."));
        if (Metrics.Sum(metric => metric.CostUsd) is var cost and > 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Judges cost {cost:0.####} USD."));
        if (Classification is { } classes)
            Show(classes);
        if (Worst.Count > 0)
            Console.WriteLine("Worst rows:");
        foreach (var row in Worst)
        {
            Console.WriteLine($"  line {row.Row}{(row.Id == row.Row.ToString(CultureInfo.InvariantCulture) ? "" : $" ({row.Id})")}: {Short(row.Output)}");
            foreach (var same in row.Faults.GroupBy(fault => (fault.Outcome, fault.Reason)))
                Console.WriteLine(
                    $"    {same.Key.Outcome} {(same.Count() == Metrics.Count ? "every metric" : string.Join(", ", same.Select(fault => fault.Metric)))}"
                    + (same.Key.Reason is null ? "" : ": " + same.Key.Reason.ReplaceLineEndings(" ")));
        }
        foreach (var threshold in Thresholds)
            Console.WriteLine(
                $"{(threshold.Met ? "met" : "NOT MET")}  {threshold.Name} {(threshold.Value is { } value ? Percent(value) : "has no verdict")}, at least {Percent(threshold.Minimum)} wanted");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Run.Rows:N0} rows{(Run.Resumed > 0 ? $", {Run.Resumed:N0} of them from an earlier start" : "")}, {Run.Seconds:0.0} s; results in {Run.Results} (run {Run.Id})."));
    }

    static void Show(EvalClassification classes)
    {
        var scores = classes.Scores;
        Console.WriteLine($"Accuracy {Range(scores.Accuracy)}, macro F1 {Range(scores.MacroF1)} on {scores.Cases:N0} rows"
            + (classes.Incomparable > 0 ? $"; {classes.Incomparable:N0} rows without an output or a right class are left out." : "."));
        const int Shown = 20;
        Print(
            ["class", "rows", "given", "precision", "recall", "F1"],
            scores.Classes.OrderBy(one => one.F1.Value ?? 0).Take(Shown).Select(one => new[]
            {
                Short(one.Class), one.Support.ToString("N0", CultureInfo.InvariantCulture), one.Predicted.ToString("N0", CultureInfo.InvariantCulture),
                Range(one.Precision), Range(one.Recall), Range(one.F1),
            }));
        if (scores.Classes.Count > Shown)
            Console.WriteLine($"The {Shown} classes with the lowest F1 of {scores.Classes.Count}; --json gives all.");
        foreach (var cell in scores.Confusion.Where(cell => cell.Expected != cell.Predicted).Take(5))
            Console.WriteLine($"  {cell.Count:N0} x {Short(cell.Expected)} taken for {Short(cell.Predicted)}");
    }

    /// <summary>Columns as wide as they need to be, the first one left-aligned, in a pipe as on a terminal.</summary>
    public static void Print(string[] headings, IEnumerable<string[]> rows)
    {
        var lines = rows.Prepend(headings).ToArray();
        var widths = headings.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        foreach (var line in lines)
            Console.WriteLine(string.Join("  ", line.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))));
    }

    static string Range(Interval interval) => Range(interval.Value, interval.Low, interval.High);

    public static string Range(double? value, double low, double high) =>
        value is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} % ({100 * low:0.0}-{100 * high:0.0})");

    static string Percent(double? share) => share is { } number ? string.Create(CultureInfo.InvariantCulture, $"{100 * number:0.0} %") : "-";

    public static string Short(string? text)
    {
        if (text is null)
            return "no output";
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 80 ? line : string.Concat(line.AsSpan(0, char.IsHighSurrogate(line[78]) ? 78 : 79), "…");
    }
}
