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

/// <param name="Threshold">Verdicts at least as confident agree with people at least 1 - alpha of the time, with confidence 1 - delta.</param>
/// <param name="LabelsNeeded">About how many more; null when more will hardly help, 0 with a threshold.</param>
/// <param name="Withdrawn">Why there is none although the labels would support one: an open alarm; null otherwise.</param>
public sealed record Guarantee(bool Holds, double Alpha, double Delta, double? Threshold, long Labels, int? LabelsNeeded, string? Withdrawn);

/// <summary>A metric's judge against people.</summary>
/// <param name="Serving">Null until the queue served a pair.</param>
public sealed record Alignment(
    string Metric, IReadOnlyList<VersionAlignment> Versions, Guarantee Guarantee, ServingGap? Serving, HumanAgreement? Humans, IReadOnlyList<AlarmView> OpenAlarms);

/// <summary>How far people agree among themselves: what a judge can hope for.</summary>
/// <param name="Alpha">Krippendorff's alpha, nominal; null when all said the same.</param>
public sealed record HumanAgreement(double? Alpha, int Items, int Labels);

static class AlignmentOf
{
    const int EnoughLabels = 20;
    const double Alpha = 0.1, Delta = 0.1;

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
        var labels = counts.PassPass + counts.PassFail + counts.FailPass + counts.FailFail;
        var posterior = PassRatePosterior.Of(
        [
            new(true, null, counts.PassPass + counts.PassFail + Count(true, null), counts.PassPass, counts.PassFail),
            new(false, null, counts.FailPass + counts.FailFail + Count(false, null), counts.FailPass, counts.FailFail),
        ]);
        return new(
            number, validator, node, labels, cells.Sum(cell => cell.Count), Interval.Of(posterior.TruePassRate), Interval.Of(posterior.TrueFailRate),
            Interval.Of(posterior.Kappa), Interval.Of(posterior.Agreement), Interval.Of(posterior.PassRate), counts,
            labels < EnoughLabels ? $"Not enough labels: {labels} blind labels, about {EnoughLabels - labels} more before these numbers mean much." : null);
    }

    /// <param name="labels">Of the newest judge version only: another version is another judge.</param>
    public static Guarantee Guarantee(IReadOnlyList<JudgedLabel> labels, IReadOnlyList<JudgeAlarm> open)
    {
        var points = labels.Where(label => label.Confidence is not null).Select(label => (label.Confidence!.Value, label.Judge == label.Human)).ToArray();
        var threshold = SelectiveThreshold.Of(points, Alpha, Delta);
        var withdrawn = open.Count > 0 ? $"withdrawn by an open alarm: {open[0].Detail}" : null;
        return new(
            threshold.Threshold is not null && withdrawn is null, Alpha, Delta, withdrawn is null ? threshold.Threshold : null, points.Length,
            threshold.LabelsNeeded, withdrawn);
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

    /// <summary>Krippendorff's alpha for two values: 1 - observed / expected disagreement.</summary>
    public static HumanAgreement? Humans(IReadOnlyList<Core.Judging.Rating> ratings)
    {
        if (ratings.Count == 0)
            return null;
        var items = ratings.GroupBy(rating => rating.Span).Select(group => (Passes: group.Count(each => each.Passed), All: group.Count())).ToArray();
        double n = ratings.Count, passes = ratings.Count(rating => rating.Passed);
        var observed = items.Sum(item => 2.0 * item.Passes * (item.All - item.Passes) / (item.All - 1)) / n;
        var expected = 2 * passes * (n - passes) / (n * (n - 1));
        return new(expected == 0 ? null : 1 - observed / expected, items.Length, ratings.Count);
    }
}
