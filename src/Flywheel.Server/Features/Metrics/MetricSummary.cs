using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Server.Features.Metrics;

/// <summary>A share with its 95 % interval and what it rests on.</summary>
/// <param name="Value">Null when there is nothing to divide by.</param>
/// <param name="N">Number of verdicts or labels behind it.</param>
public sealed record Rate(double? Value, double Low, double High, long N, string Method)
{
    public static Rate Of(long successes, long trials)
    {
        var (low, high) = Proportion.Wilson(successes, trials);
        return new Rate(trials == 0 ? null : (double)successes / trials, low, high, trials, "wilson-95");
    }
}

/// <param name="Rates">The honest ones: pass rate of all judged traffic, and how good the validator is, from verdicts and labels together.</param>
/// <param name="Note">What the numbers cannot say, such as too few labels.</param>
/// <param name="Slices">Null unless slices were asked for.</param>
public sealed record VersionSummary(
    int MetricVersion, string ValidatorVersion, IReadOnlyDictionary<string, long> Verdicts, TrueRates Rates, Rate ValidatorPassRate,
    Rate LabelledPassRate, Rate Agreement, long BlindLabels, string? Note, IReadOnlyList<NodeSummary> Nodes, IReadOnlyList<RateSlice>? Slices);

public sealed record NodeSummary(string Node, IReadOnlyDictionary<string, long> Verdicts, Rate ValidatorPassRate);

/// <summary>
/// What a metric's verdicts and blind labels say, per validator version: rates of different validators are never mixed.
/// </summary>
/// <remarks>
/// <c>Rates</c> is the estimate for all traffic (docs/uncertainty.md). Beside it, <c>ValidatorPassRate</c> is what the validator claims and
/// <c>LabelledPassRate</c> what people said of the labelled spans, which is no estimate for all traffic unless they were drawn at random.
/// </remarks>
public sealed record MetricSummary(string Name, string Criterion, string State, long BlindLabels, IReadOnlyList<VersionSummary> Versions)
{
    /// <summary>What the judge's confidence is worth; null for what is no judge.</summary>
    public Judging.CalibrationView? Calibration { get; init; }

    public static MetricSummary Of(Metric metric, IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells, SummarySlicing slicing)
    {
        var numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);
        var summaries = cells
            .Where(slicing.Holds)
            .GroupBy(cell => (cell.MetricVersion, cell.ValidatorVersion))
            .OrderByDescending(group => numbers.GetValueOrDefault(group.Key.MetricVersion))
            .ThenBy(group => group.Key.ValidatorVersion, StringComparer.Ordinal)
            .Select(group => Summarise(numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, [.. group], slicing))
            .ToArray();
        return new MetricSummary(
            metric.Name, metric.Criterion, Wire.Name(metric.State), summaries.Select(summary => summary.BlindLabels).DefaultIfEmpty().Max(), summaries);
    }

    static VersionSummary Summarise(int number, string validator, MetricCell[] cells, SummarySlicing slicing)
    {
        var rates = TrueRates.Of(cells);
        var decided = cells.Where(cell => cell is { Human: not null, Outcome: Outcome.Pass or Outcome.Fail }).ToArray();
        var labels = cells.Where(cell => cell.Human is not null).Sum(cell => cell.Count);
        return new VersionSummary(
            number, validator, Count(cells), rates, PassRate(cells),
            Rate.Of(cells.Where(cell => cell.Human == true).Sum(cell => cell.Count), labels),
            Rate.Of(decided.Where(cell => cell.Human == (cell.Outcome == Outcome.Pass)).Sum(cell => cell.Count), decided.Sum(cell => cell.Count)),
            labels,
            rates.Note,
            [.. cells.GroupBy(cell => cell.Node).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => new NodeSummary(group.Key, Count([.. group]), PassRate([.. group])))],
            slicing.Cut(cells));
    }

    static Rate PassRate(MetricCell[] cells)
    {
        var passes = cells.Where(cell => cell.Outcome == Outcome.Pass).Sum(cell => cell.Count);
        return Rate.Of(passes, passes + cells.Where(cell => cell.Outcome == Outcome.Fail).Sum(cell => cell.Count));
    }

    static Dictionary<string, long> Count(MetricCell[] cells) => Enum.GetValues<Outcome>()
        .ToDictionary(Wire.Name, outcome => cells.Where(cell => cell.Outcome == outcome).Sum(cell => cell.Count));
}
