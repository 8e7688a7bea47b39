using Flywheel.Core.Statistics;

namespace Flywheel.Core.Metrics;

/// <summary>What blind labels and verdicts say together of one slice of traffic.</summary>
/// <param name="Estimate">Of spans with a verdict, skipped ones not counted.</param>
/// <param name="Picked">Blind labels left out, since their items were not drawn with a known chance.</param>
/// <param name="Note">What the numbers cannot say, such as too few labels; null if there is nothing to add.</param>
public sealed record TrueRates(RateEstimate Estimate, long Picked, string? Note)
{
    /// <summary>Number of labels until the intervals keep their promise; 0 when there are enough.</summary>
    public long LabelsNeeded => Math.Max(0, RateEstimate.EnoughLabels - Estimate.Labels);

    /// <param name="cells">Of one validator version; nodes are the strata.</param>
    public static TrueRates Of(IEnumerable<MetricCell> cells)
    {
        var counted = cells.Where(cell => cell.Outcome != Outcome.Skipped).ToArray();
        long Labels(Func<MetricCell, bool> which) => counted.Where(cell => cell.Human is not null && which(cell)).Sum(cell => cell.Count);
        long drawn = Labels(cell => cell.Chance > 0), unasked = Labels(cell => cell.Chance == 0), picked = Labels(cell => cell.Chance < 0);
        // Labels that nobody drew tell only by the assumption that they are a random part: they step back once drawn ones are enough.
        var onlyDrawn = drawn >= RateEstimate.EnoughLabels || unasked == 0;
        bool Counts(MetricCell cell) => cell.Human is not null && (onlyDrawn ? cell.Chance > 0 : cell.Chance >= 0);
        var estimate = RateEstimate.Of(
        [
            .. counted.GroupBy(cell => (Verdict: Verdict(cell.Outcome), cell.Node))
                .OrderBy(group => group.Key.Verdict).ThenBy(group => group.Key.Node, StringComparer.Ordinal)
                .SelectMany(group => group.Where(Counts).OrderBy(cell => cell.Chance).ThenBy(cell => cell.Human)
                    .SelectMany(cell => Enumerable.Repeat(
                        new JudgedRow(group.Key.Verdict, cell.Human, onlyDrawn ? cell.Chance : null, group.Key.Node), (int)cell.Count))
                    .Append(new JudgedRow(
                        group.Key.Verdict, null, null, group.Key.Node, group.Where(cell => !Counts(cell)).Sum(cell => cell.Count)))),
        ]);
        var rates = new TrueRates(estimate, picked + (onlyDrawn ? unasked : 0), null);
        return rates with { Note = NoteOf(estimate.Labels, rates.LabelsNeeded, picked, onlyDrawn ? unasked : 0) };
    }

    static string? NoteOf(long labels, long needed, long picked, long unasked)
    {
        var parts = new List<string>();
        if (needed > 0)
            parts.Add($"Not enough labels: {labels} blind labels, about {needed} more before these intervals can be relied on.");
        if (picked > 0)
            parts.Add($"{picked} labels of picked items (likely failures) are left out: they estimate nothing.");
        if (unasked > 0)
            parts.Add($"{unasked} labels of items that were not drawn are left out, since enough were drawn.");
        return parts.Count == 0 ? null : string.Join(' ', parts);
    }

    static bool? Verdict(Outcome outcome) => outcome switch
    {
        Outcome.Pass => true,
        Outcome.Fail => false,
        _ => null,
    };
}
