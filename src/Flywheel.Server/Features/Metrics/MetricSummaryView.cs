using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Features.Judging;

namespace Flywheel.Server.Features.Metrics;

/// <summary>
/// What a metric's verdicts and blind labels say, per validator version: rates of different validators are never mixed.
/// </summary>
/// <remarks>
/// <c>Rates</c> is the estimate for all traffic (docs/uncertainty.md). Beside it, <c>ValidatorPassRate</c> is what the validator claims and
/// <c>LabelledPassRate</c> what people said of the labelled spans, which is no estimate for all traffic unless they were drawn at random.
/// </remarks>
/// <param name="Calibration">What the judge's confidence is worth; null for what is no judge.</param>
public sealed record MetricSummaryView(
    string Name, string Criterion, string State, long BlindLabels, IReadOnlyList<VersionSummaryView> Versions, CalibrationView? Calibration)
{
    public static MetricSummaryView Of(MetricReading reading)
    {
        var it = reading.Summary;
        return new(
            it.Metric.Name, it.Metric.Criterion, Wire.Name(it.Metric.State), it.BlindLabels, [.. it.Versions.Select(VersionSummaryView.Of)],
            reading.Calibration is null ? null : CalibrationView.Of(reading.Calibration));
    }
}

/// <param name="Rates">The honest ones: pass rate of all judged traffic, and how good the validator is, from verdicts and labels
/// together.</param>
/// <param name="Note">What the numbers cannot say, such as too few labels.</param>
/// <param name="Slices">Null unless slices were asked for.</param>
public sealed record VersionSummaryView(
    int MetricVersion, string ValidatorVersion, IReadOnlyDictionary<string, long> Verdicts, TrueRatesView Rates, Interval ValidatorPassRate,
    Interval LabelledPassRate, Interval Agreement, long BlindLabels, string? Note, IReadOnlyList<NodeSummaryView> Nodes,
    IReadOnlyList<RateSliceView>? Slices)
{
    public static VersionSummaryView Of(VersionSummary it) => new(
        it.MetricVersion, it.ValidatorVersion, Counts(it.Verdicts), TrueRatesView.Of(it.Rates), it.ValidatorPassRate, it.LabelledPassRate,
        it.Agreement, it.BlindLabels, it.Rates.Note,
        [.. it.Nodes.Select(node => new NodeSummaryView(node.Node, Counts(node.Verdicts), node.ValidatorPassRate))],
        it.Slices is null ? null
            : [.. it.Slices.Select(slice => new RateSliceView(slice.Node, slice.From, TrueRatesView.Of(slice.Rates)))]);

    static Dictionary<string, long> Counts(IReadOnlyDictionary<Outcome, long> verdicts) =>
        verdicts.ToDictionary(each => Wire.Name(each.Key), each => each.Value);
}

public sealed record NodeSummaryView(string Node, IReadOnlyDictionary<string, long> Verdicts, Interval ValidatorPassRate);

/// <param name="Node">Null when all nodes are one slice.</param>
/// <param name="From">Start of the time bucket, UTC; null when all time is one.</param>
public sealed record RateSliceView(string? Node, DateTimeOffset? From, TrueRatesView Rates);
