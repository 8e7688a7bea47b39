using System.Globalization;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Evaluation;

namespace Flywheel.Server.Cli.Eval;

/// <summary>What an evaluation found, for people.</summary>
static class EvalText
{
    public static void Show(EvalReport it)
    {
        Print(
            ["metric", "pass rate (95 % interval)", "pass", "fail", "unsure", "skipped", "error"],
            it.Metrics.Select(metric => new[] { metric.Name, Range(metric.PassRate.Value, metric.PassRate.Low, metric.PassRate.High) }
                .Concat(metric.Outcomes.Values.Select(count => count.ToString("N0", CultureInfo.InvariantCulture))).ToArray()));
        if (it.Generation is { } made)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{it.Run.About.Title()}: {made.Rows:N0} outputs{(made.Errors > 0 ? $", {made.Errors:N0} of them failed" : "")}, "
                    + $"{made.InputTokens:N0} tokens in and {made.OutputTokens:N0} out, {made.CostUsd:0.####} USD; {made.MedianMs:0} ms "
                    + $"at the median, {made.SlowMs:0} at 95 %."));
        if (it.Metrics.Sum(metric => metric.CostUsd) is var cost and > 0)
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Judges cost {cost:0.####} USD."));
        if (it.Classification is { } classes)
            Show(classes);
        if (it.Worst.Count > 0)
            Console.WriteLine("Worst rows:");
        foreach (var row in it.Worst)
        {
            Console.WriteLine($"  line {row.Row}{(row.Id == row.Row.ToString(CultureInfo.InvariantCulture) ? "" : $" ({row.Id})")}: "
                + $"{Short(row.Output)}");
            foreach (var same in row.Faults.GroupBy(fault => (fault.Outcome, fault.Reason)))
                Console.WriteLine(
                    $"    {same.Key.Outcome} "
                        + $"{(same.Count() == it.Metrics.Count ? "every metric" : string.Join(", ", same.Select(fault => fault.Metric)))}"
                    + (same.Key.Reason is null ? "" : ": " + same.Key.Reason.ReplaceLineEndings(" ")));
        }
        foreach (var threshold in it.Thresholds)
            Console.WriteLine(
                $"{(threshold.Met ? "met" : "NOT MET")}  {threshold.Name} "
                    + $"{(threshold.Value is { } value ? Percent(value) : "has no verdict")}, at least {Percent(threshold.Minimum)} "
                    + "wanted");
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{it.Run.Rows:N0} rows{(it.Run.Resumed > 0 ? $", {it.Run.Resumed:N0} of them from an earlier start" : "")}, "
                + $"{it.Run.Seconds:0.0} s; results in {it.Run.Results} (run {it.Run.Id})."));
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
                Short(one.Class), one.Support.ToString("N0", CultureInfo.InvariantCulture),
                one.Predicted.ToString("N0", CultureInfo.InvariantCulture),
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
            Console.WriteLine(string.Join(
                "  ", line.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column]))));
    }

    static string Range(Interval interval) => Range(interval.Value, interval.Low, interval.High);

    public static string Range(double? value, double low, double high) =>
        value is null ? "-" : string.Create(CultureInfo.InvariantCulture, $"{100 * value:0.0} % ({100 * low:0.0}-{100 * high:0.0})");

    static string Percent(double? share) =>
        share is { } number ? string.Create(CultureInfo.InvariantCulture, $"{100 * number:0.0} %") : "-";

    public static string Short(string? text)
    {
        if (text is null)
            return "no output";
        var line = text.ReplaceLineEndings(" ");
        return line.Length <= 80 ? line : string.Concat(line.AsSpan(0, char.IsHighSurrogate(line[78]) ? 78 : 79), "…");
    }
}
