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
public sealed record TrueRatesView(
    Estimate PassRate,
    [property: JsonPropertyName("tpr")] Estimate TruePassRate,
    [property: JsonPropertyName("tnr")] Estimate TrueFailRate,
    Estimate Kappa, Estimate Agreement,
    [property: JsonPropertyName("n")] long Labels,
    [property: JsonPropertyName("N")] long Judged,
    long Undecided, Estimate JudgeOnly, Estimate HumanOnly, long LabelsNeeded, string? Note,
    long Picked, string Method)
{
    public static TrueRatesView Of(TrueRates rates)
    {
        var (it, found) = (rates.Estimate.Posterior, rates.Estimate);
        return new(
            it.PassRate, it.TruePassRate, it.TrueFailRate, it.Kappa, it.Agreement, found.Labels, found.Judged, found.Unreadable,
            found.JudgeOnly, found.HumanOnly, rates.LabelsNeeded, rates.Note, rates.Picked, MethodName(found.Method));
    }

    static string MethodName(RateMethod method) => method switch
    {
        RateMethod.BetaCells => "beta-cells",
        RateMethod.WeightedBetaCells => "beta-cells-weighted",
        _ => "aipw",
    };
}
