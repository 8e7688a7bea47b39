using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;

namespace Flywheel.Core.Judging.Aligning;

public enum AlignmentState
{
    Running,
    Done,
    Failed,
}

/// <summary>What a search was asked for, and what it decided on the way and must not decide again.</summary>
/// <param name="Labels">The newest so many are looked at.</param>
/// <param name="Model">Who distils rules; null for the metric's own judge.</param>
/// <param name="Reference">Attribute that holds a reference answer; null when there is none.</param>
/// <param name="Rules">By fold, then those from all labels to choose by; a missing one is yet to be distilled.</param>
public sealed record AlignmentPlan(
    int Labels, string? Model, string? Reference, IReadOnlyDictionary<int, IReadOnlyList<ProposedGuideline>> Rules);

/// <summary>A search for a better judge of a metric.</summary>
/// <param name="LabelUntil">Labels after it are not looked at.</param>
/// <param name="Done">Of <paramref name="Total"/>, texts judged and rules distilled.</param>
/// <param name="CostUsd">Of the calls that were paid for; what had been paid before costs nothing again.</param>
/// <param name="Detail">Why it waits or failed, or how it ended, for people.</param>
/// <param name="Result">JSON of <see cref="AlignmentEvidence"/>; null until it ends.</param>
/// <param name="VisibleAt">Nobody else takes it before.</param>
/// <param name="Worker">Who runs it; null while it waits.</param>
public sealed record AlignmentRun(
    long Id, ProjectId Project, MetricId Metric, MetricVersionId MetricVersion, AlignmentState State, DateTimeOffset LabelUntil,
    AlignmentPlan Plan,
    int Done, int Total, double CostUsd, string? Detail, string? Result, long? Proposal, string Author, DateTimeOffset CreatedAt,
    DateTimeOffset? EndedAt, DateTimeOffset VisibleAt, string? Worker, int Attempts);

/// <summary>What speaks for a judge, or against all of them.</summary>
/// <param name="Labels">Blind labels that were looked at.</param>
/// <param name="Fit">Those that candidates were chosen by.</param>
/// <param name="HeldOut">Later ones.</param>
/// <param name="Tested">Of the held-out ones, those that compare judges fairly.</param>
/// <param name="Candidates">In the order tried; the first is the present judge.</param>
/// <param name="Chosen">Name of the one that was ahead; null when none was.</param>
/// <param name="Promoted">True when it became a proposal.</param>
/// <param name="Current">The present judge on the tested labels.</param>
/// <param name="Candidate">The chosen one on the tested labels.</param>
/// <param name="Notes">What was left out, and why.</param>
public sealed record AlignmentEvidence(
    int MetricVersion, int Labels, int Fit, int HeldOut, int Tested, IReadOnlyList<AlignmentCandidate> Candidates, string? Chosen,
    bool Promoted,
    PairedTest? Test, JudgeCounts? Current, JudgeCounts? Candidate, IReadOnlyList<ProposedGuideline> Guidelines, double CostUsd,
    IReadOnlyList<string> Notes);

/// <param name="Low">5 % quantile of balanced accuracy: what candidates are chosen by.</param>
public sealed record AlignmentCandidate(string Name, double Balanced, double Low, JudgeCounts Counts);

public interface IAlignmentStore
{
    /// <summary>Blind labels of a metric whose text is there, newest first.</summary>
    /// <param name="until">Null for all.</param>
    Task<IReadOnlyList<AlignmentCase>> CasesAsync(
        ProjectId project, MetricId metric, DateTimeOffset? until, int limit, CancellationToken ct);

    /// <summary>Begins a search, with an audit entry; where one of the metric is open, that one, which then waits no longer.</summary>
    Task<AlignmentRun> BeginAsync(
        Metric metric, AlignmentPlan plan, DateTimeOffset labelUntil, int total, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Takes the oldest open search that nobody has.</summary>
    /// <param name="only">Null for any.</param>
    Task<AlignmentRun?> ClaimAsync(long? only, string worker, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>Keeps how far a search is, and the lease with it.</summary>
    /// <param name="costUsd">Spent since the last report.</param>
    /// <returns>False when another worker has it.</returns>
    Task<bool> ReportAsync(
        AlignmentRun run, string worker, AlignmentPlan plan, int done, int total, double costUsd, DateTimeOffset until,
        CancellationToken ct);

    /// <summary>Lets a search wait.</summary>
    Task<bool> PauseAsync(AlignmentRun run, string worker, string why, bool isFault, DateTimeOffset until, CancellationToken ct);

    /// <summary>Ends a search, and stores what it proposes in the same transaction.</summary>
    /// <param name="result">Null when it failed.</param>
    /// <returns>Null when another worker has it.</returns>
    Task<AlignmentRun?> EndAsync(
        AlignmentRun run, string worker, string detail, AlignmentEvidence? result, NewProposal? proposal, DateTimeOffset at,
        CancellationToken ct);

    /// <summary>Newest first.</summary>
    /// <param name="metric">Null for all.</param>
    Task<IReadOnlyList<AlignmentRun>> ListAsync(ProjectId project, MetricId? metric, int limit, CancellationToken ct);

    Task<AlignmentRun?> FindAsync(ProjectId project, long id, CancellationToken ct);
}
