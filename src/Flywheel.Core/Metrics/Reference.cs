using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

public enum ReferenceState
{
    Proposed,
    Approved,
    Rejected,
}

/// <summary>Inputs, or outputs, that a detector takes for ordinary; the newest approved one of a metric is in force.</summary>
/// <param name="Number">1 for a metric's first, rising by one.</param>
/// <param name="Node">The node whose spans it was drawn from; null for all.</param>
/// <param name="Spans">Newest first. The texts are read from there.</param>
/// <param name="DecidedBy">Null while proposed.</param>
public sealed record Reference(
    ProjectId Project, MetricId Metric, int Number, string? Node, IReadOnlyList<SpanId> Spans, ReferenceState State, string Author,
    DateTimeOffset CreatedAt, string? DecidedBy, DateTimeOffset? DecidedAt);

public interface IReferenceStore
{
    /// <summary>The newest spans with an input (or output) that no other metric on inputs (or outputs) fails; one a text.</summary>
    /// <param name="node">Null for all nodes.</param>
    Task<IReadOnlyList<SpanId>> CandidatesAsync(
        ProjectId project, MetricId metric, string? node, MetricSubject subject, int limit, CancellationToken ct);

    /// <summary>Stores a proposal, with an audit entry.</summary>
    Task<Reference> ProposeAsync(
        ProjectId project, MetricId metric, string? node, IReadOnlyList<SpanId> spans, string author, DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Approves or rejects a proposal, with an audit entry.</summary>
    /// <returns>Null when there is no such proposal, or it is decided already.</returns>
    Task<Reference?> DecideAsync(
        ProjectId project, MetricId metric, int number, bool approve, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<Reference>> ListAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>The one in force for the metric of this name; null when none is approved.</summary>
    Task<Reference?> CurrentAsync(ProjectId project, string metric, CancellationToken ct);
}
