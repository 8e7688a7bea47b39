namespace Flywheel.Core.Projects;

/// <summary>What went with an end user.</summary>
/// <param name="Spans">The user's, and those of the same traces and sessions that name nobody; their verdicts, labels, corrections, picks,
/// judge replies and late texts go along.</param>
/// <param name="Demonstrations">Made from those spans, or imported as the user's; their vectors go along.</param>
/// <param name="Scrubbed">Spans of others whose recorded prompt showed such a demonstration: its text was taken out there.</param>
/// <param name="Guidelines">Rules for judges that were distilled from labels of those spans.</param>
/// <param name="Texts">Messages and evaluations that waited for spans of those traces.</param>
/// <param name="References">Sets of reference inputs that named such spans.</param>
/// <param name="DatasetItems">Items of data sets, out of every version that had them.</param>
public sealed record Erasure(
    long Spans, long Demonstrations, long Scrubbed, long Feedback, long Guidelines, long Texts, long References, long DatasetItems);

public interface IErasureStore
{
    /// <summary>Deletes everything of an end user in one transaction, with an audit entry that names the user by a hash only.</summary>
    /// <remarks>Safe to repeat. Cost grows with the project's spans: the user's are searched for without an index.</remarks>
    Task<Erasure> EraseAsync(ProjectId project, string endUser, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Rewrites the database file so that no free page holds what was deleted; writers wait meanwhile.</summary>
    /// <returns>False where the database does that by itself, in its own time (PostgreSQL).</returns>
    /// <exception cref="TimeoutException">Somebody kept reading: what was deleted may still stand in the log. Try again.</exception>
    Task<bool> CompactAsync(CancellationToken ct);
}
