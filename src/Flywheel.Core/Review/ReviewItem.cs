using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Review;

/// <summary>Why a person should look.</summary>
public enum ReviewReason
{
    /// <summary>People differ, as many for a pass as for a fail: one decides.</summary>
    Adjudicate,

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
    string Detail, double Priority, double? Propensity, DateTimeOffset Since)
{
    /// <summary>Zero when the item asks about the output itself.</summary>
    public MetricId MetricId { get; init; }
}

/// <param name="Author">Leaves out what this person labelled already and what others have reserved; null shows everything.</param>
/// <param name="Now">When reservations are looked at; needed with an author.</param>
public sealed record ReviewFilter(
    string? Node = null, string? Metric = null, ReviewReason? Reason = null, string? Cursor = null, int Limit = 50, string? Author = null,
    DateTimeOffset Now = default);

/// <summary>A pair of the queue; a metric of 0 asks about the output itself.</summary>
public readonly record struct ReviewPair(SpanId Span, MetricId Metric);

/// <summary>An item that one person has taken.</summary>
public sealed record Reservation(ReviewPair Pair, string Author, DateTimeOffset Until);

/// <summary>A judged pair that the planner has not considered for a label yet.</summary>
/// <param name="Outcome">Pass, fail or unsure.</param>
/// <param name="Earlier">The chance it was considered with under an earlier verdict; null when it never was.</param>
/// <param name="Audited">The rate at which the audit of all traffic drew it; 0 when it did not.</param>
public sealed record UndrawnPair(
    SpanId Span, SpanKey Key, string? Input, string? Output, Outcome Outcome, double? Confidence, DateTimeOffset At, double? Earlier,
    double Audited);

/// <summary>A pair that was considered.</summary>
/// <param name="Chance">With which it was drawn, in (0, 1].</param>
/// <param name="Place">In (0, 1], higher first, and unrelated to what the pair is; null when it was not drawn now.</param>
public sealed record ConsideredPair(SpanId Span, double Chance, double? Place);

/// <summary>An item that the product chose to put before a person.</summary>
/// <param name="Metric">Null asks for confirmation or correction of the output.</param>
public sealed record ReviewPick(SpanId Span, MetricId? Metric, ReviewReason Reason, string Detail, double Priority, double? Propensity);

public interface IReviewStore
{
    /// <summary>Open items, most urgent first; what a person has answered is gone.</summary>
    Task<Page<ReviewItem>> ListAsync(ProjectId project, ReviewFilter filter, CancellationToken ct);

    /// <summary>Adds picks; one that is there already stays as it was.</summary>
    Task AddPicksAsync(ProjectId project, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct);

    /// <summary>Judges' verdicts on pairs that have not been considered for a label, oldest first, one a span.</summary>
    Task<IReadOnlyList<UndrawnPair>> UndrawnAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct);

    Task<long> CountUndrawnAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Keeps the chances of all pairs that were considered and queues the drawn ones, in one transaction.</summary>
    Task KeepDrawAsync(ProjectId project, MetricId metric, IReadOnlyList<ConsideredPair> pairs, DateTimeOffset at, CancellationToken ct);

    /// <summary>Spans of the newest judged pairs that nobody has labelled, newest first.</summary>
    Task<IReadOnlyList<SpanId>> UnlabelledAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct);

    /// <summary>Puts the metric's low scores and unsure ones into a new order: picks of these reasons, without propensity, by priority in
    /// (0, 1].
    /// Those not named come last.</summary>
    Task RankAsync(ProjectId project, MetricId metric, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct);

    /// <summary>Pairs of these spans that were drawn with a known chance.</summary>
    Task<IReadOnlyList<ReviewPair>> DrawnAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);

    /// <summary>Notes which picks were put before somebody.</summary>
    Task ShownAsync(ProjectId project, IReadOnlyList<ReviewPair> pairs, DateTimeOffset at, CancellationToken ct);

    /// <summary>Takes items for one person, or prolongs their hold; what another holds stays with them.</summary>
    /// <returns>Who holds each pair now, in the order given.</returns>
    Task<IReadOnlyList<Reservation>> ReserveAsync(
        ProjectId project, IReadOnlyList<ReviewPair> pairs, string author, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <returns>False when the person did not hold it.</returns>
    Task<bool> ReleaseAsync(ProjectId project, ReviewPair pair, string author, CancellationToken ct);

    /// <summary>Holds of these pairs that last beyond <paramref name="now"/>.</summary>
    Task<IReadOnlyList<Reservation>> ReservationsAsync(
        ProjectId project, IReadOnlyList<ReviewPair> pairs, DateTimeOffset now, CancellationToken ct);
}
