using Flywheel.Core.Statistics;

namespace Flywheel.Core.Metrics;

/// <summary>What the verdicts of one validator version, and the blind labels beside them, say.</summary>
/// <param name="Verdicts">Counts of every outcome.</param>
/// <param name="Rates">Pass rate of all judged traffic and the quality of the validator, from verdicts and labels together.</param>
/// <param name="ValidatorPassRate">What the validator claims.</param>
/// <param name="LabelledPassRate">What people said of the labelled spans: no estimate for all traffic unless they were drawn at
/// random.</param>
/// <param name="Slices">Null unless slices were asked for.</param>
public sealed record VersionSummary(
    int MetricVersion, string ValidatorVersion, IReadOnlyDictionary<Outcome, long> Verdicts, TrueRates Rates, Interval ValidatorPassRate,
    Interval LabelledPassRate, Interval Agreement, long BlindLabels, IReadOnlyList<NodeSummary> Nodes, IReadOnlyList<RateSlice>? Slices)
{
    /// <param name="cells">Of this version only.</param>
    /// <exception cref="RequestException">The slicing makes too many slices.</exception>
    public static VersionSummary Of(
        int metricVersion, string validatorVersion, IReadOnlyCollection<MetricCell> cells, SummarySlicing slicing)
    {
        var decided = cells.Where(cell => cell is { Human: not null, Outcome: Outcome.Pass or Outcome.Fail }).ToArray();
        var labels = cells.Where(cell => cell.Human is not null).Sum(cell => cell.Count);
        return new(
            metricVersion, validatorVersion, Count(cells), TrueRates.Of(cells), PassRate(cells),
            Interval.Share(cells.Where(cell => cell.Human == true).Sum(cell => cell.Count), labels),
            Interval.Share(
                decided.Where(cell => cell.Human == (cell.Outcome == Outcome.Pass)).Sum(cell => cell.Count),
                decided.Sum(cell => cell.Count)),
            labels,
            [.. cells.GroupBy(cell => cell.Node).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new NodeSummary(group.Key, Count([.. group]), PassRate([.. group])))],
            slicing.Cut(cells));
    }

    static Interval PassRate(IReadOnlyCollection<MetricCell> cells)
    {
        var passes = cells.Where(cell => cell.Outcome == Outcome.Pass).Sum(cell => cell.Count);
        return Interval.Share(passes, passes + cells.Where(cell => cell.Outcome == Outcome.Fail).Sum(cell => cell.Count));
    }

    static Dictionary<Outcome, long> Count(IReadOnlyCollection<MetricCell> cells) => Enum.GetValues<Outcome>()
        .ToDictionary(outcome => outcome, outcome => cells.Where(cell => cell.Outcome == outcome).Sum(cell => cell.Count));
}
