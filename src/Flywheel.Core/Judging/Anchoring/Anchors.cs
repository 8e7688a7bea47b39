using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Judging.Anchoring;

/// <summary>A frozen case.</summary>
/// <param name="Passed">What people said of it blind.</param>
public sealed record Anchor(SpanId Span, bool Passed);

/// <param name="ReplayedAt">When the newest replay began; null when one is due at once.</param>
/// <param name="Hours">Between two replays; 0 for none but those that are asked for.</param>
public sealed record AnchorSet(
    long Id, ProjectId Project, MetricId Metric, int Passes, int Fails, string Author, DateTimeOffset CreatedAt, DateTimeOffset? ReplayedAt,
    int Hours)
{
    /// <summary>Cases that a set may have.</summary>
    public const int Least = 50, Most = 100, Usual = 60;
}

public enum ReplayState
{
    Running,
    Done,
    Failed,
}

/// <summary>All cases of a set asked about once.</summary>
/// <param name="Done">Cases answered, of <paramref name="Total"/>.</param>
/// <param name="Baseline">The replay that it was compared with; null for one that others are compared with.</param>
/// <param name="Comparison">Null until it was compared.</param>
/// <param name="Alarmed">It differs from its baseline beyond chance.</param>
public sealed record AnchorReplay(
    long Id, ProjectId Project, long Set, MetricId Metric, MetricVersionId MetricVersion, ReplayState State, int Done, int Total,
    long? Baseline,
    AnchorComparison? Comparison, bool Alarmed, double CostUsd, string? Detail, DateTimeOffset StartedAt, DateTimeOffset? EndedAt,
    DateTimeOffset VisibleAt,
    string? Worker, int Attempts);

/// <summary>What a judge said of a case.</summary>
public sealed record AnchorAnswer(SpanId Span, Outcome Outcome, string ValidatorVersion);

public interface IAnchorStore
{
    /// <summary>Freezes cases, with an audit entry; an open set of the metric is closed.</summary>
    Task<AnchorSet> FreezeAsync(Metric metric, IReadOnlyList<Anchor> cases, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>The open set; null when there is none.</summary>
    Task<AnchorSet?> FindAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Stops replaying, with an audit entry.</summary>
    Task<bool> CloseAsync(ProjectId project, MetricId metric, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Makes a replay of the open set due at once.</summary>
    Task<bool> AskAsync(ProjectId project, MetricId metric, CancellationToken ct);

    Task<IReadOnlyList<Anchor>> CasesAsync(ProjectId project, long set, CancellationToken ct);

    /// <summary>Takes a replay that waits, or begins one that is due; null when there is neither.</summary>
    Task<AnchorReplay?> ClaimAsync(string worker, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>Keeps an answer, and the lease with it.</summary>
    /// <returns>False when another worker has the replay.</returns>
    Task<bool> KeepAsync(
        AnchorReplay replay, string worker, AnchorAnswer answer, double costUsd, DateTimeOffset until, CancellationToken ct);

    Task<IReadOnlyList<AnchorAnswer>> AnswersAsync(ProjectId project, long replay, CancellationToken ct);

    /// <summary>Lets a replay wait.</summary>
    Task<bool> PauseAsync(AnchorReplay replay, string worker, string why, bool isFault, DateTimeOffset until, CancellationToken ct);

    /// <param name="state">Done or failed.</param>
    Task<bool> EndAsync(
        AnchorReplay replay, string worker, ReplayState state, long? baseline, AnchorComparison? comparison, bool alarmed, string? detail,
        DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Of a metric's open set, newest first.</summary>
    Task<IReadOnlyList<AnchorReplay>> ReplaysAsync(ProjectId project, long set, int limit, CancellationToken ct);
}
