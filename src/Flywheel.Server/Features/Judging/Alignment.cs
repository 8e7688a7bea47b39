using System.Globalization;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Server.Features.Judging;

/// <summary>A number with its 95 % interval.</summary>
public sealed record Interval(double Median, double Low, double High)
{
    public static Interval Of(Estimate estimate) => new(estimate.Median, estimate.Low, estimate.High);
}

/// <summary>Counts of verdicts against blind labels.</summary>
public sealed record Confusion(long PassPass, long PassFail, long FailPass, long FailFail);

/// <summary>How one judge version does against blind labels.</summary>
/// <param name="Labels">Blind labels of decided verdicts: all that is known of it.</param>
/// <param name="Verdicts">Decided verdicts, labelled or not.</param>
/// <param name="PassRate">What people would say of all these verdicts' texts.</param>
/// <param name="Counts">Judge's word first, the person's second.</param>
/// <param name="Note">What the numbers cannot say; null when they can.</param>
public sealed record VersionAlignment(
    int MetricVersion, string ValidatorVersion, string? Node, long Labels, long Verdicts, Interval TruePassRate, Interval TrueFailRate, Interval Kappa,
    Interval Agreement, Interval PassRate, Confusion Counts, string? Note);

/// <summary>What seeing the judge's word does to people.</summary>
/// <param name="Blind">Agreement with the judge where its word was withheld.</param>
/// <param name="Suggested">Agreement where it was shown.</param>
/// <param name="Gap">Suggested less blind; null until both have labels.</param>
public sealed record ServingGap(Metrics.Rate Blind, Metrics.Rate Suggested, double? Gap);

/// <summary>A metric's judge against people.</summary>
/// <param name="Serving">Null until the queue served a pair.</param>
/// <param name="Calibration">Null for what is no judge.</param>
public sealed record Alignment(
    string Metric, IReadOnlyList<VersionAlignment> Versions, Guarantee? Guarantee, CalibrationView? Calibration, ServingGap? Serving, HumanAgreement? Humans,
    IReadOnlyList<AlarmView> OpenAlarms);

/// <summary>How far people agree among themselves: what a judge can hope for.</summary>
/// <param name="Alpha">Krippendorff's alpha, nominal, with its 95 % interval; null when all said the same.</param>
public sealed record HumanAgreement(double? Alpha, double? AlphaLow, double? AlphaHigh, int Items, int Labels);

static class AlignmentOf
{
    /// <param name="byNode">One entry a node besides the whole.</param>
    public static IReadOnlyList<VersionAlignment> Versions(IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells, bool byNode)
    {
        var numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);
        return
        [
            .. cells.Where(cell => cell.Outcome is Outcome.Pass or Outcome.Fail)
                .GroupBy(cell => (cell.MetricVersion, cell.ValidatorVersion))
                .OrderByDescending(group => numbers.GetValueOrDefault(group.Key.MetricVersion))
                .ThenByDescending(group => group.Max(cell => cell.Bucket))
                .ThenBy(group => group.Key.ValidatorVersion, StringComparer.Ordinal)
                .SelectMany(group => (IEnumerable<VersionAlignment>)
                [
                    One(numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, null, [.. group]),
                    .. byNode
                        ? group.GroupBy(cell => cell.Node).OrderBy(node => node.Key, StringComparer.Ordinal)
                            .Select(node => One(numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, node.Key, [.. node]))
                        : [],
                ]),
        ];
    }

    static VersionAlignment One(int number, string validator, string? node, MetricCell[] cells)
    {
        long Count(bool judge, bool? human) =>
            cells.Where(cell => cell.Outcome == (judge ? Outcome.Pass : Outcome.Fail) && cell.Human == human).Sum(cell => cell.Count);
        var counts = new Confusion(Count(true, true), Count(true, false), Count(false, true), Count(false, false));
        // All nodes are one: the judge is asked about, not its slices.
        var rates = Metrics.TrueRates.Of(cells.Select(cell => cell with { Node = "" }));
        return new(
            number, validator, node, rates.Labels, cells.Sum(cell => cell.Count), Interval.Of(rates.TruePassRate), Interval.Of(rates.TrueFailRate),
            Interval.Of(rates.Kappa), Interval.Of(rates.Agreement), Interval.Of(rates.PassRate), counts, rates.Note);
    }

    public static ServingGap? Serving(IReadOnlyList<ServedAgreement> agreements)
    {
        if (agreements.Count == 0)
            return null;
        Metrics.Rate Of(ServedMode mode) => agreements.FirstOrDefault(each => each.Mode == mode) is { } it
            ? Metrics.Rate.Of(it.Agreed, it.Labels) : Metrics.Rate.Of(0, 0);
        var (blind, suggested) = (Of(ServedMode.Blind), Of(ServedMode.Suggested));
        return new(blind, suggested, suggested.Value - blind.Value);
    }

    /// <summary>Null where no item has the labels of two people.</summary>
    public static HumanAgreement? Humans(IReadOnlyList<PersonsAnswer> answers)
    {
        if (answers.Count == 0)
            return null;
        var agreement = RaterAgreement.Of([.. answers.Select(answer => new Rating(
            answer.Span.Value.ToString(CultureInfo.InvariantCulture), answer.Author, answer.Passed ? "pass" : "fail"))]);
        return new(agreement.Alpha.Value, agreement.Alpha.Low, agreement.Alpha.High, agreement.Items, agreement.Ratings);
    }
}
