using System.Text.Json.Serialization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Server.Features.Metrics;

/// <summary>What blind labels and verdicts say together of one slice of traffic.</summary>
/// <param name="JudgeOnly">The validator's own pass rate, for comparison: it is off by the validator's errors.</param>
/// <param name="HumanOnly">The labels alone: no estimate of all traffic where one verdict was labelled more often than another.</param>
/// <param name="Labels">n: blind labels on judged spans.</param>
/// <param name="Judged">N: spans with a verdict, skipped ones not counted.</param>
/// <param name="Undecided">Of N, those that the validator was unsure of or failed on; they are part of the pass rate.</param>
/// <param name="Picked">Blind labels left out, since their items were not drawn with a known chance.</param>
/// <param name="Method">As of <c>flywheel estimate</c>.</param>
/// <param name="LabelsNeeded">How many more labels until these intervals keep their promise; 0 when there are enough.</param>
public sealed record TrueRates(
    Estimate PassRate,
    [property: JsonPropertyName("tpr")] Estimate TruePassRate,
    [property: JsonPropertyName("tnr")] Estimate TrueFailRate,
    Estimate Kappa, Estimate Agreement,
    [property: JsonPropertyName("n")] long Labels,
    [property: JsonPropertyName("N")] long Judged,
    long Undecided, Estimate JudgeOnly, Estimate HumanOnly, long LabelsNeeded, string? Note,
    long Picked, string Method)
{
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
            .. counted.GroupBy(cell => (Verdict: Verdict(cell.Outcome), cell.Node)).OrderBy(group => group.Key.Verdict).ThenBy(group => group.Key.Node, StringComparer.Ordinal)
                .SelectMany(group => group.Where(Counts).OrderBy(cell => cell.Chance).ThenBy(cell => cell.Human)
                    .SelectMany(cell => Enumerable.Repeat(
                        new JudgedRow(group.Key.Verdict, cell.Human, onlyDrawn ? cell.Chance : null, group.Key.Node), (int)cell.Count))
                    .Append(new JudgedRow(group.Key.Verdict, null, null, group.Key.Node, group.Where(cell => !Counts(cell)).Sum(cell => cell.Count)))),
        ]);
        var needed = Math.Max(0, RateEstimate.EnoughLabels - estimate.Labels);
        var it = estimate.Posterior;
        return new TrueRates(
            it.PassRate, it.TruePassRate, it.TrueFailRate, it.Kappa, it.Agreement, estimate.Labels, estimate.Judged, estimate.Unreadable,
            estimate.JudgeOnly, estimate.HumanOnly, needed, NoteOf(estimate.Labels, needed, picked, onlyDrawn ? unasked : 0),
            picked + (onlyDrawn ? unasked : 0), MethodName(estimate.Method));
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

    static string MethodName(RateMethod method) => method switch
    {
        RateMethod.BetaCells => "beta-cells",
        RateMethod.WeightedBetaCells => "beta-cells-weighted",
        _ => "aipw",
    };

    static bool? Verdict(Outcome outcome) => outcome switch
    {
        Outcome.Pass => true,
        Outcome.Fail => false,
        _ => null,
    };
}

/// <summary>One slice that was asked for.</summary>
/// <param name="Node">Null when all nodes are one slice.</param>
/// <param name="From">Start of the time bucket, UTC; null when all time is one.</param>
public sealed record RateSlice(string? Node, DateTimeOffset? From, TrueRates Rates);
