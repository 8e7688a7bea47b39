using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Retrieval;

/// <summary>Whose prompt a demonstration is for.</summary>
public enum DemonstrationPurpose
{
    /// <summary>The application's: made from corrections and confirmed outputs of a node.</summary>
    Task,

    /// <summary>A judge's: made from people's labels of a metric.</summary>
    Judge,
}

public enum DemonstrationState
{
    Pending,
    Approved,
    Recalled,
}

/// <summary>A few-shot example. Only approved ones ever reach a prompt.</summary>
/// <param name="Target">Node name for a task demonstration, metric name for a judge's.</param>
/// <param name="Input">What was asked; for a judge, the text that was judged.</param>
/// <param name="Output">The good answer; for a judge <c>pass</c> or <c>fail</c>.</param>
/// <param name="RejectedOutput">The bad answer that was fixed; null when the output was confirmed, and for judges.</param>
/// <param name="Reason">What went wrong and why, or the label's critique.</param>
/// <param name="Disagreement">In [0, 1]: how far the model was from the person without this example.</param>
/// <param name="SpanId">The span that it came from; null when it was imported.</param>
/// <param name="ApprovedAt">Recency counts from here.</param>
public sealed record Demonstration(
    Guid Id, ProjectId Project, DemonstrationPurpose Purpose, string Target, string Input, string Output, string? RejectedOutput,
    string? Reason, double Disagreement, string? EndUser, long? SpanId, DemonstrationState State, string Author,
    DateTimeOffset CreatedAt, DateTimeOffset? ApprovedAt, string? ApprovedBy, DateTimeOffset? RecalledAt, string? RecalledBy)
{
    /// <summary>True when a person changed the output, false when it was confirmed as it was.</summary>
    public bool IsFixed => RejectedOutput is not null;

    /// <summary>Id of the correction or label that it was made from; null when it was imported.</summary>
    public Guid? Source { get; init; }
}

/// <summary>A stored vector: int8 with one scale, and what made it.</summary>
/// <param name="Fingerprint">Of the embedder; vectors of different fingerprints are never compared.</param>
/// <param name="Scale">value[i] * Scale is the i-th coordinate.</param>
public sealed record StoredVector(string Fingerprint, float Scale, sbyte[] Values);

/// <summary>An entry of the change sequence from which indexes are fed.</summary>
/// <param name="Demonstration">Null when it was deleted.</param>
/// <param name="Vector">For the fingerprint asked for; null when not embedded yet.</param>
public sealed record DemonstrationChange(long Sequence, Guid Id, Demonstration? Demonstration, StoredVector? Vector)
{
    /// <summary>Whose demonstration it is, or was: ids are unique within a project only.</summary>
    public ProjectId Project { get; init; } = ProjectId.Default;
}

public sealed record DemonstrationFilter(
    DemonstrationPurpose? Purpose = null, string? Target = null, DemonstrationState? State = null, string? Cursor = null, int Limit = 50);

public interface IDemonstrationStore
{
    /// <summary>Adds demonstrations that come from outside (import), pending unless they say otherwise.</summary>
    Task AddAsync(IReadOnlyList<Demonstration> demonstrations, CancellationToken ct);

    /// <summary>Adds one that somebody proposes, pending, with an audit entry in the same transaction.</summary>
    /// <param name="mostPending">How many the author may have that nobody has decided.</param>
    /// <returns>Repeated when its id is there already; null when the author has too many pending.</returns>
    Task<Labeling.InsertResult?> ProposeAsync(Demonstration demonstration, int mostPending, CancellationToken ct);

    Task<Demonstration?> GetAsync(ProjectId project, Guid id, CancellationToken ct);

    /// <summary>The demonstration that the correction or label with this id caused.</summary>
    Task<Demonstration?> OfSourceAsync(ProjectId project, Guid correctionOrLabel, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<Page<Demonstration>> ListAsync(ProjectId project, DemonstrationFilter filter, CancellationToken ct);

    /// <summary>Sets how far the model was from the person, as it was known where an imported row comes from.</summary>
    /// <param name="disagreement">In [0, 1].</param>
    Task SetDisagreementAsync(ProjectId project, Guid id, double disagreement, CancellationToken ct);

    /// <summary>Approves pending or recalled ones, with an audit entry each.</summary>
    /// <returns>How many changed state.</returns>
    Task<int> ApproveAsync(ProjectId project, IReadOnlyList<Guid> ids, string approver, DateTimeOffset at, CancellationToken ct);

    /// <summary>Takes approved or pending ones out of use, with an audit entry each.</summary>
    Task<int> RecallAsync(ProjectId project, IReadOnlyList<Guid> ids, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Approved demonstrations without a vector of this fingerprint.</summary>
    Task<IReadOnlyList<Demonstration>> WithoutVectorAsync(string fingerprint, int limit, CancellationToken ct);

    Task PutVectorsAsync(IReadOnlyList<(ProjectId Project, Guid Id, StoredVector Vector)> vectors, DateTimeOffset at, CancellationToken ct);

    /// <summary>
    /// The newest change; cheap enough to ask before every retrieval. What this process changed is seen at once, what another one
    /// changed within a tenth of a second.
    /// </summary>
    ValueTask<long> LatestChangeAsync(CancellationToken ct);

    /// <summary>
    /// What changed after a sequence number, each demonstration once in its present state. With 0, everything that is approved.
    /// </summary>
    Task<IReadOnlyList<DemonstrationChange>> ChangesAsync(long after, string fingerprint, int limit, CancellationToken ct);
}
