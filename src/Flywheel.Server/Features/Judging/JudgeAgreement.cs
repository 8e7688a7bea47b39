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

/// <summary>How one judge version does against blind labels; or all versions of one metric version together, where it says so.</summary>
/// <param name="ValidatorVersion">Null where several judge versions are pooled.</param>
/// <param name="JudgeVersions">How many judge versions are in it.</param>
/// <param name="From">Start of the time slice, UTC; null for all time.</param>
/// <param name="Segment">Such as <c>tenant:acme</c>; null for all.</param>
/// <param name="Labels">Blind labels of decided verdicts: all that is known of it.</param>
/// <param name="Verdicts">Decided verdicts, labelled or not.</param>
/// <param name="PassRate">What people would say of all these verdicts' texts.</param>
/// <param name="Counts">Judge's word first, the person's second.</param>
/// <param name="Note">What the numbers cannot say; null when they can.</param>
public sealed record VersionAgreement(
    int MetricVersion, string? ValidatorVersion, string? Node, long Labels, long Verdicts, Interval TruePassRate, Interval TrueFailRate, Interval Kappa,
    Interval Agreement, Interval PassRate, Confusion Counts, string? Note, int JudgeVersions = 1, DateTimeOffset? From = null, string? Segment = null);

/// <summary>What seeing the judge's word does to people.</summary>
/// <param name="Blind">Agreement with the judge where its word was withheld.</param>
/// <param name="Suggested">Agreement where it was shown.</param>
/// <param name="Gap">Suggested less blind; null until both have labels.</param>
public sealed record ServingGap(Metrics.Rate Blind, Metrics.Rate Suggested, double? Gap);

/// <summary>A metric's judge against people.</summary>
/// <param name="Pooled">By metric version, over all its judge versions: each approved example makes another judge version, and a version's own
/// labels are few. It says how judges of these settings do, not how the newest one does.</param>
/// <param name="Serving">Null until the queue served a pair.</param>
/// <param name="Calibration">Null for what is no judge.</param>
public sealed record Alignment(
    string Metric, IReadOnlyList<VersionAgreement> Versions, IReadOnlyList<VersionAgreement> Pooled, Guarantee? Guarantee, CalibrationView? Calibration,
    ServingGap? Serving, HumanAgreement? Humans, IReadOnlyList<AlarmView> OpenAlarms);

/// <summary>How far people agree among themselves: what a judge can hope for.</summary>
/// <param name="Alpha">Krippendorff's alpha, nominal, with its 95 % interval; null when all said the same.</param>
public sealed record HumanAgreement(double? Alpha, double? AlphaLow, double? AlphaHigh, int Items, int Labels);

static class AgreementOf
{
    /// <summary>Those with the most labels.</summary>
    const int MostSegments = 50;

    /// <param name="byNode">One entry a node besides the whole.</param>
    public static IReadOnlyList<VersionAgreement> Versions(IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells, bool byNode)
    {
        var numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);
        return
        [
            .. NewestFirst(numbers, cells).SelectMany(group => (IEnumerable<VersionAgreement>)
                [
                    One(numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, null, [.. group]),
                    .. byNode
                        ? group.GroupBy(cell => cell.Node).OrderBy(node => node.Key, StringComparer.Ordinal)
                            .Select(node => One(numbers.GetValueOrDefault(group.Key.MetricVersion), group.Key.ValidatorVersion, node.Key, [.. node]))
                        : [],
                ]),
        ];
    }

    static IEnumerable<IGrouping<(MetricVersionId MetricVersion, string ValidatorVersion), MetricCell>> NewestFirst(
        Dictionary<MetricVersionId, int> numbers, IReadOnlyList<MetricCell> cells) =>
        cells.Where(cell => cell.Outcome is Outcome.Pass or Outcome.Fail)
            .GroupBy(cell => (cell.MetricVersion, cell.ValidatorVersion))
            .OrderByDescending(group => numbers.GetValueOrDefault(group.Key.MetricVersion))
            .ThenByDescending(group => group.Max(cell => cell.Bucket))
            .ThenBy(group => group.Key.ValidatorVersion, StringComparer.Ordinal);

    /// <summary>The newest metric version first, each followed by its slices.</summary>
    public static IReadOnlyList<VersionAgreement> Pooled(
        IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells, Metrics.SummarySlicing slicing, IReadOnlyList<SegmentedLabel> segmented)
    {
        var numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);
        return
        [
            .. cells.Where(cell => cell.Outcome is Outcome.Pass or Outcome.Fail).GroupBy(cell => cell.MetricVersion)
                .OrderByDescending(group => numbers.GetValueOrDefault(group.Key))
                .SelectMany(group => (IEnumerable<VersionAgreement>)
                [
                    OfAll(numbers.GetValueOrDefault(group.Key), null, [.. group]),
                    .. slicing.ByNode || slicing.Bucket is not null
                        ? slicing.Slices(group).Select(slice => OfAll(numbers.GetValueOrDefault(group.Key), slice.Key.Node, [.. slice]) with { From = slice.Key.From })
                        : [],
                    .. BySegment(numbers.GetValueOrDefault(group.Key), segmented.Where(label => label.MetricVersion == group.Key)),
                ]),
        ];
    }

    /// <summary>Segments are no part of the counts: these are made of the labelled verdicts alone.</summary>
    static IEnumerable<VersionAgreement> BySegment(int number, IEnumerable<SegmentedLabel> labels) => labels
        // Single users are no segments to compare.
        .SelectMany(label => label.Segments.Where(segment => !segment.StartsWith("user:", StringComparison.Ordinal)).Distinct().Select(segment => (segment, label)))
        .GroupBy(each => each.segment, each => each.label)
        .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(MostSegments)
        .Select(group => OfAll(number, null, [.. group.Select(label => new MetricCell(
            label.MetricVersion, label.ValidatorVersion, "", default, label.Judge ? Outcome.Pass : Outcome.Fail, label.Human, 1, label.Chance))]) with { Segment = group.Key });

    static VersionAgreement OfAll(int number, string? node, MetricCell[] cells) =>
        One(number, null, node, [.. cells]) with { JudgeVersions = cells.Select(cell => cell.ValidatorVersion).Distinct(StringComparer.Ordinal).Count() };

    static VersionAgreement One(int number, string? validator, string? node, MetricCell[] cells)
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
