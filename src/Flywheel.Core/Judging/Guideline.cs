using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Core.Judging;

public enum GuidelineState
{
    Proposed,

    /// <summary>In every prompt of the metric's judges.</summary>
    Approved,

    Removed,
}

/// <summary>A rule for the judges of a metric: what the criterion means, as people's labels have shown.</summary>
/// <param name="Text">One sentence or two, at most 1,000 characters.</param>
/// <param name="Labels">Ids of the labels that it was distilled from; empty for a rule that a person wrote.</param>
public sealed record Guideline(
    Guid Id, ProjectId Project, MetricId Metric, string Text, IReadOnlyList<Guid> Labels, GuidelineState State, string Author,
    DateTimeOffset CreatedAt, string? ApprovedBy = null, DateTimeOffset? ApprovedAt = null, string? RemovedBy = null,
    DateTimeOffset? RemovedAt = null)
{
    public const int MaxLength = 1_000;
}

/// <summary>A blind or edited label that the newest verdict contradicts, with what both said.</summary>
/// <param name="Text">What was judged.</param>
/// <param name="Critique">The person's; null when none was given.</param>
/// <param name="Verdict">The judge's: pass or fail.</param>
/// <param name="Rationale">The judge's critique; null when it gave none.</param>
public sealed record JudgeDisagreement(Guid Label, string Text, bool Passed, string? Critique, Outcome Verdict, string? Rationale);

public interface IGuidelineStore
{
    /// <summary>Stores proposals, with an audit entry each.</summary>
    Task AddAsync(IReadOnlyList<Guideline> guidelines, CancellationToken ct);

    /// <summary>Oldest first.</summary>
    /// <param name="state">Null for all states.</param>
    Task<IReadOnlyList<Guideline>> ListAsync(ProjectId project, MetricId metric, GuidelineState? state, CancellationToken ct);

    /// <summary>Texts of a metric's approved guidelines by its name, oldest approval first.</summary>
    Task<IReadOnlyList<string>> ApprovedAsync(ProjectId project, string metric, CancellationToken ct);

    /// <summary>Approves a proposed or removed one, with an audit entry.</summary>
    /// <returns>Null when the metric has no such guideline; otherwise the guideline as it is now.</returns>
    Task<Guideline?> ApproveAsync(ProjectId project, MetricId metric, Guid id, string approver, DateTimeOffset at, CancellationToken ct);

    /// <summary>Takes one out of use, with an audit entry.</summary>
    Task<Guideline?> RemoveAsync(ProjectId project, MetricId metric, Guid id, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Labels that the newest verdict contradicts, newest label first; those with a critique before those without.</summary>
    Task<IReadOnlyList<JudgeDisagreement>> DisagreementsAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct);
}
