using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>A metric's judge against people.</summary>
/// <param name="Pooled">By metric version, over all its judge versions: each approved example makes another judge version, and a version's
/// own labels are few. It says how judges of these settings do, not how the newest one does.</param>
/// <param name="Reliability">Null if the metric is decided by something other than a judge.</param>
/// <param name="Serving">Null until the queue served a pair.</param>
/// <param name="Humans">Null if no item has the labels of two people.</param>
/// <param name="OpenAlarms">Newest first.</param>
public sealed record JudgeAgreement(
    Metric Metric, IReadOnlyList<VersionAgreement> Versions, IReadOnlyList<VersionAgreement> Pooled, JudgeReliability? Reliability,
    ServingGap? Serving, HumanAgreement? Humans, IReadOnlyList<JudgeAlarm> OpenAlarms);
