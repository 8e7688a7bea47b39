using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>A validator's recorded outcome on one span for one metric version.</summary>
/// <remarks>Keyed by (span, metric version, validator version, revision of the span's text); the newest for a span and metric is the
/// current one.</remarks>
/// <param name="ValidatorVersion">Hash of everything that decided: code, settings, and for a judge its model and demonstrations.</param>
public sealed record Verdict(
    ProjectId Project, SpanId Span, MetricId Metric, MetricVersionId MetricVersion, string ValidatorVersion,
    Finding Finding, double LatencyMs, DateTimeOffset At)
{
    /// <summary>Of the span's text that it is about: 1, and one more for each change after the span was paired with metrics.</summary>
    public int Revision { get; init; } = 1;
}

/// <summary>One cell of a metric's counts: how many verdicts of one outcome met one gold label.</summary>
/// <param name="Bucket">Start of the UTC hour in which the spans started.</param>
/// <param name="Human">The blind label: true pass, false fail, null none yet.</param>
/// <param name="Chance">With which the labelled pairs were drawn for labelling, in (0, 1]; 0 when a person labelled them unasked or nobody
/// did; <see cref="Picked"/> when they were chosen for what they are.</param>
public sealed record MetricCell(
    MetricVersionId MetricVersion, string ValidatorVersion, string Node, DateTimeOffset Bucket, Outcome Outcome, bool? Human, long Count,
    double Chance = 0)
{
    /// <summary>Labels of pairs that were picked, such as likely failures: they estimate nothing.</summary>
    public const double Picked = -1;
}
