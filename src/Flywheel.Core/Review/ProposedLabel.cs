using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Review;

/// <summary>
/// What a model, or a person elsewhere, would answer for one metric on one span: for a person to accept or change, never a label.
/// </summary>
/// <param name="Author">Who proposes; one proposal a pair and author, the newest.</param>
/// <param name="Confidence">In [0, 1], as the author says; null when it says none.</param>
public sealed record ProposedLabel(
    ProjectId Project, SpanId Span, MetricId Metric, string Author, bool Passed, string Critique, double? Confidence,
    DateTimeOffset CreatedAt);

public interface IProposedLabelStore
{
    /// <summary>Keeps a proposal, puts its pair into the queue and names the author in the audit, in one transaction.</summary>
    /// <param name="mostOpen">How many pairs without a label the author may have proposals for.</param>
    /// <returns>Stored, also in the place of an earlier one; repeated when it says the same again; null when the author has too many
    /// open.</returns>
    Task<Labeling.InsertResult?> AddAsync(ProposedLabel proposal, int mostOpen, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<ProposedLabel>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);
}
