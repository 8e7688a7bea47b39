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
/// <param name="LabelsNeeded">How many more labels until these intervals keep their promise; 0 when there are enough.</param>
public sealed record TrueRates(
    Estimate PassRate,
    [property: JsonPropertyName("tpr")] Estimate TruePassRate,
    [property: JsonPropertyName("tnr")] Estimate TrueFailRate,
    Estimate Kappa, Estimate Agreement,
    [property: JsonPropertyName("n")] long Labels,
    [property: JsonPropertyName("N")] long Judged,
    long Undecided, Estimate JudgeOnly, Estimate HumanOnly, long LabelsNeeded, string? Note)
{
    /// <param name="cells">Of one validator version; nodes are the strata.</param>
    public static TrueRates Of(IEnumerable<MetricCell> cells)
    {
        var counted = cells.Where(cell => cell.Outcome != Outcome.Skipped)
            .GroupBy(cell => (Verdict: Verdict(cell.Outcome), cell.Node))
            .Select(group => new VerdictCell(
                group.Key.Verdict, group.Key.Node, group.Sum(cell => cell.Count),
                group.Where(cell => cell.Human == true).Sum(cell => cell.Count), group.Where(cell => cell.Human == false).Sum(cell => cell.Count)))
            .OrderBy(cell => cell.Verdict).ThenBy(cell => cell.Stratum, StringComparer.Ordinal)
            .ToArray();
        var posterior = PassRatePosterior.Of(counted);
        long passed = (long)counted.Sum(cell => cell.Passes), labels = passed + (long)counted.Sum(cell => cell.Fails);
        long judgePasses = counted.Where(cell => cell.Verdict == true).Sum(cell => cell.Judged), judged = counted.Sum(cell => cell.Judged);
        var decided = counted.Where(cell => cell.Verdict is not null).Sum(cell => cell.Judged);
        var needed = Math.Max(0, RateEstimate.EnoughLabels - labels);
        return new TrueRates(
            posterior.PassRate, posterior.TruePassRate, posterior.TrueFailRate, posterior.Kappa, posterior.Agreement, labels, judged,
            judged - decided, Estimate.Wilson(judgePasses, decided), Estimate.Wilson(passed, labels), needed,
            needed > 0 ? $"Not enough labels: {labels} blind labels, about {needed} more before these intervals can be relied on." : null);
    }

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
