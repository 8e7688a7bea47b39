using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Health;

/// <summary>Whether this process can serve: the database answers and work progresses.</summary>
public sealed class ReadinessService(IFlywheelStore store, WorkerHealth health, TimeProvider clock)
{
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    /// <param name="works">Whether this process runs workers.</param>
    public async Task<ReadinessReport> CheckAsync(bool works, CancellationToken ct)
    {
        JobCounts jobs;
        try
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(ct);
            deadline.CancelAfter(Deadline);
            await store.PingAsync(deadline.Token);
            jobs = await store.Jobs.CountsAsync(clock.GetUtcNow(), deadline.Token);
        }
        catch (Exception fault) when (fault is not OperationCanceledException || !ct.IsCancellationRequested)
        {
            return new(["The database does not answer; the server's log says why."], null, fault);
        }
        return works && health.Trouble(jobs) is { } trouble
            ? new([char.ToUpperInvariant(trouble[0]) + trouble[1..] + "."], jobs, null)
            : new([], jobs, null);
    }
}
