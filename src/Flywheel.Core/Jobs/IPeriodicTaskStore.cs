namespace Flywheel.Core.Jobs;

/// <summary>Leases of tasks that run once per database, however many processes there are.</summary>
public interface IPeriodicTaskStore
{
    /// <summary>Takes the lease if nobody else holds it at <paramref name="now"/>, or extends it for the holder.</summary>
    /// <param name="holder">Names one process; no two may share it.</param>
    /// <returns>False when another process holds it.</returns>
    Task<bool> ClaimAsync(string task, string holder, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>Gives the lease back, if it is still this holder's.</summary>
    Task ReleaseAsync(string task, string holder, CancellationToken ct);
}
