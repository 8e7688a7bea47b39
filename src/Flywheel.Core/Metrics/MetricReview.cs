using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

/// <summary>What a person decided about a metric after looking at it again.</summary>
public enum MetricDecision
{
    /// <summary>It still says what is meant.</summary>
    Keep,

    /// <summary>It needs another wording or other settings, which somebody posts as a new version.</summary>
    Change,

    /// <summary>It is no longer wanted: it is retired with the review.</summary>
    Retire,
}

/// <summary>A person's look at a metric, whatever it checks.</summary>
/// <param name="Number">1 for the metric's first, rising by one.</param>
/// <param name="Version">The wording that was in force.</param>
/// <param name="Newest">The newest span of the project at the time: what came later is new to the next review.</param>
/// <param name="Evidence">What the person could see, as JSON.</param>
public sealed record MetricReview(
    ProjectId Project, MetricId Metric, int Number, MetricVersionId Version, MetricDecision Decision, string? Note, string Author,
    DateTimeOffset At, SpanId Newest, string Evidence);

/// <summary>When a metric is to be looked at again.</summary>
/// <param name="EveryDays">Days between reviews: the metric's own, else the project's; 0 means never.</param>
/// <param name="Own">True when the metric has its own number of days.</param>
/// <param name="Since">The last review, or the metric's first version when there was none.</param>
/// <param name="Last">Null before the first.</param>
public sealed record MetricSchedule(Metric Metric, int EveryDays, bool Own, DateTimeOffset Since, MetricReview? Last)
{
    /// <summary>Null when it never is.</summary>
    public DateTimeOffset? DueAt => EveryDays == 0 ? null : Since.AddDays(EveryDays);
}

/// <summary>A text with what the metric and people say of it now.</summary>
/// <param name="Human">What people said blind; null where nobody did.</param>
public sealed record CheckedText(SpanId Span, SpanKey Key, string Node, string? Text, Outcome Outcome, bool? Human);

public interface IMetricReviewStore
{
    /// <summary>Of the active metrics, by name.</summary>
    Task<IReadOnlyList<MetricSchedule>> SchedulesAsync(ProjectId project, CancellationToken ct);

    /// <summary>Sets the metric's own days between reviews, with an audit entry.</summary>
    /// <param name="everyDays">Null follows the project again; 0 is never.</param>
    /// <returns>False when there is no such metric.</returns>
    Task<bool> SetDaysAsync(ProjectId project, MetricId metric, int? everyDays, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Days between reviews of metrics without their own, with an audit entry.</summary>
    Task SetProjectDaysAsync(ProjectId project, int everyDays, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Records a review, retires the metric if that was decided, and notes both in the audit, in one transaction.</summary>
    Task<MetricReview> AddAsync(
        ProjectId project, Metric metric, MetricDecision decision, string? note, string evidence, string author, DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<MetricReview>> ListAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>
    /// Texts that the metric passed, failed or could not decide, of spans in (<paramref name="after"/>, <paramref name="upTo"/>].
    /// </summary>
    /// <param name="newest">True for the newest of them, false for the oldest.</param>
    Task<IReadOnlyList<CheckedText>> CheckedAsync(
        ProjectId project, Metric metric, SpanId after, SpanId upTo, bool newest, int limit, CancellationToken ct);
}
