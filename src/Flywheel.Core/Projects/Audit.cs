namespace Flywheel.Core.Projects;

/// <summary>One act that changed what the product does, with who did it.</summary>
/// <remarks>Append-only and hash-chained per project: a changed row breaks every hash after it.</remarks>
/// <param name="Action">Verb and noun, such as <c>demonstration.approve</c>.</param>
/// <param name="Subject">The id or name of what was acted on.</param>
/// <param name="Details">JSON object; <c>{}</c> when there is nothing to add.</param>
public sealed record AuditEntry(
    long Id, ProjectId Project, DateTimeOffset At, string Actor, string Action, string Subject, string Details,
    string PreviousHash, string Hash);

public interface IAuditStore
{
    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<AuditEntry>> ListAsync(ProjectId project, int limit, CancellationToken ct);

    /// <summary>Recomputes the chain.</summary>
    /// <returns>The id of the first entry whose hash does not fit; null when the chain is whole.</returns>
    Task<long?> VerifyAsync(ProjectId project, CancellationToken ct);
}
