using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Judging;

/// <summary>One text judged twice with orders planted in it: once to pass, once to fail.</summary>
public sealed record Canary(
    ProjectId Project, MetricId Metric, SpanId Span, string ValidatorVersion, Outcome ToldToPass, Outcome ToldToFail, DateTimeOffset At)
{
    /// <summary>The judge passed where it was told to pass and failed where it was told to fail.</summary>
    public bool Obeyed => ToldToPass == Outcome.Pass && ToldToFail == Outcome.Fail;

    /// <summary>Both texts were decided: only then does it tell anything.</summary>
    public bool IsDecided => ToldToPass is Outcome.Pass or Outcome.Fail && ToldToFail is Outcome.Pass or Outcome.Fail;
}

public enum AlarmKind
{
    /// <summary>The judge does what judged texts tell it.</summary>
    Obedience,

    /// <summary>The judge's pass rate jumped.</summary>
    PassRate,

    /// <summary>The judge disagrees with blind labels more than it did.</summary>
    Disagreement,

    /// <summary>The judge answers frozen texts otherwise than it did.</summary>
    Anchors,
}

/// <summary>Something about a metric's judge that a person must look at.</summary>
/// <param name="ClosedAt">Null while it is open: then the metric has no guarantee, and more of its verdicts go to people.</param>
public sealed record JudgeAlarm(
    long Id, ProjectId Project, MetricId Metric, AlarmKind Kind, string ValidatorVersion, string Detail, DateTimeOffset RaisedAt,
    DateTimeOffset? ClosedAt, string? ClosedBy)
{
    /// <summary>The random audit of a metric with an open alarm takes at least this share.</summary>
    public const double RaisedAuditRate = 0.1;
}

/// <summary>A person's blind label of an item that was drawn by chance, beside what the judge said.</summary>
/// <param name="Contradicts">The judge passed what the person failed, or the other way round.</param>
public sealed record DrawnLabel(DateTimeOffset At, bool Contradicts);

public interface IJudgeWatchStore
{
    /// <summary>
    /// The newest blind labels of items drawn by chance that the judge of one wording of a metric decided, whatever was made of its word;
    /// newest first.
    /// </summary>
    Task<IReadOnlyList<DrawnLabel>> DrawnLabelsAsync(ProjectId project, MetricVersionId version, int limit, CancellationToken ct);

    Task AddCanaryAsync(Canary canary, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<Canary>> CanariesAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct);

    /// <summary>
    /// The newest passes (true) and fails (false) of a metric's judge, whatever was made of its word, by the arrival of their spans; newest
    /// first.
    /// </summary>
    Task<IReadOnlyList<bool>> DecisionsAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct);

    /// <summary>Opens an alarm, with an audit entry; one that is open already stays as it is.</summary>
    /// <returns>True when it is new.</returns>
    Task<bool> RaiseAsync(
        ProjectId project, MetricId metric, AlarmKind kind, string validatorVersion, string detail, DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Closes an open alarm, with an audit entry.</summary>
    Task<bool> CloseAsync(ProjectId project, long id, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Newest first.</summary>
    /// <param name="metric">Null for all of the project's.</param>
    Task<IReadOnlyList<JudgeAlarm>> AlarmsAsync(ProjectId project, MetricId? metric, bool openOnly, int limit, CancellationToken ct);
}
