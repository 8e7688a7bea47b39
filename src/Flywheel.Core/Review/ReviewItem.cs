using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Review;

/// <summary>Why a person should look.</summary>
public enum ReviewReason
{
    /// <summary>People and validator disagree, or two people do.</summary>
    Disagreement,

    /// <summary>The validator failed the output.</summary>
    LowScore,

    /// <summary>The validator could not decide.</summary>
    Unsure,

    /// <summary>Picked by the product because a label here teaches most.</summary>
    Informative,

    /// <summary>Drawn at random with a known probability: what honest rates are computed from.</summary>
    RandomAudit,
}

/// <summary>One entry of the review queue.</summary>
/// <param name="Metric">Name of the metric in question; null when the node's output itself is to be confirmed or corrected.</param>
/// <param name="Priority">Higher first.</param>
/// <param name="Propensity">Of a random audit; null for everything picked.</param>
public sealed record ReviewItem(
    SpanId Span, SpanKey Key, string Node, NodeKind Kind, string? Input, string? Output, string? Metric, ReviewReason Reason,
    string Detail, double Priority, double? Propensity, DateTimeOffset Since);

public sealed record ReviewFilter(string? Node = null, string? Metric = null, ReviewReason? Reason = null, string? Cursor = null, int Limit = 50);

/// <summary>An item that the product chose to put before a person.</summary>
/// <param name="Metric">Null asks for confirmation or correction of the output.</param>
public sealed record ReviewPick(SpanId Span, Metrics.MetricId? Metric, ReviewReason Reason, string Detail, double Priority, double? Propensity);

public interface IReviewStore
{
    /// <summary>Open items, most urgent first; what a person has answered is gone.</summary>
    Task<Page<ReviewItem>> ListAsync(ProjectId project, ReviewFilter filter, CancellationToken ct);

    /// <summary>Adds picks; one that is there already stays as it was.</summary>
    Task AddPicksAsync(ProjectId project, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct);
}
