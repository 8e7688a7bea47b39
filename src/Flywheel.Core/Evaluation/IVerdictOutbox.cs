using Flywheel.Core.Projects;

namespace Flywheel.Core.Evaluation;

public interface IVerdictOutbox
{
    /// <summary>From now on verdicts of these projects wait in the outbox, and of no other.</summary>
    Task EnableAsync(IReadOnlyList<ProjectId> projects, CancellationToken ct);

    /// <summary>
    /// Takes the oldest waiting verdicts for a while; skipped ones, and those of metrics that are judged elsewhere, never wait.
    /// </summary>
    Task<IReadOnlyList<OutgoingVerdict>> TakeAsync(int limit, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>Lets go of what was sent or cannot be.</summary>
    Task DoneAsync(IReadOnlyList<long> ids, CancellationToken ct);

    /// <summary>Gives back what was not sent.</summary>
    Task ReleaseAsync(IReadOnlyList<long> ids, CancellationToken ct);
}
