using Flywheel.Core.Judging;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Judging;

namespace Flywheel.Server.Features.Judging;

/// <summary>A metric's judge against people.</summary>
/// <param name="Pooled">By metric version, over all its judge versions: each approved example makes another judge version, and a version's
/// own labels are few. It says how judges of these settings do, not how the newest one does.</param>
/// <param name="Serving">Null until the queue served a pair.</param>
/// <param name="Calibration">Null for what is no judge.</param>
public sealed record AgreementView(
    string Metric, IReadOnlyList<VersionAgreementView> Versions, IReadOnlyList<VersionAgreementView> Pooled, Guarantee? Guarantee,
    CalibrationView? Calibration, ServingGap? Serving, HumanAgreement? Humans, IReadOnlyList<AlarmView> OpenAlarms)
{
    public static AgreementView Of(JudgeAgreement it) => new(
        it.Metric.Name, [.. it.Versions.Select(VersionAgreementView.Of)], [.. it.Pooled.Select(VersionAgreementView.Of)],
        it.Reliability?.Promise, it.Reliability is null ? null : CalibrationView.Of(it.Reliability), it.Serving, it.Humans,
        [.. it.OpenAlarms.Select(alarm => AlarmView.Of(alarm, it.Metric.Name))]);
}

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
public sealed record VersionAgreementView(
    int MetricVersion, string? ValidatorVersion, string? Node, long Labels, long Verdicts, Estimate TruePassRate, Estimate TrueFailRate,
    Estimate Kappa, Estimate Agreement, Estimate PassRate, Confusion Counts, string? Note, int JudgeVersions, DateTimeOffset? From,
    string? Segment)
{
    public static VersionAgreementView Of(VersionAgreement it)
    {
        var rates = it.Rates.Estimate.Posterior;
        return new(
            it.MetricVersion, it.ValidatorVersion, it.Node, it.Rates.Estimate.Labels, it.Verdicts, rates.TruePassRate, rates.TrueFailRate,
            rates.Kappa, rates.Agreement, rates.PassRate, it.Counts, it.Rates.Note, it.JudgeVersions, it.From, it.Segment);
    }
}
