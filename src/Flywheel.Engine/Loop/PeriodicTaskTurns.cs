using Flywheel.Core.Jobs;

namespace Flywheel.Engine.Loop;

/// <summary>
/// The turns of one task in one process. A task that runs once per database takes a turn only while this process has its lease.
/// </summary>
/// <param name="holder">Names this process.</param>
sealed class PeriodicTaskTurns(PeriodicTask task, IPeriodicTaskStore leases, string holder, TimeProvider clock)
{
    /// <summary>How long the tasks of a process that was killed wait for another one.</summary>
    public static readonly TimeSpan LeaseLength = TimeSpan.FromSeconds(30);

    DateTimeOffset _until;

    /// <returns>Null when another process has the lease; otherwise what the turn changed.</returns>
    public async Task<int?> RunOnceAsync(CancellationToken ct)
    {
        if (!task.OncePerDatabase)
            return await task.RunOnceAsync(ct);
        if (!await HoldAsync(ct))
            return null;
        using var lost = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var holding = HoldOnAsync(lost, done.Token);
        try
        {
            return await task.RunOnceAsync(lost.Token);
        }
        catch (OperationCanceledException) when (lost.IsCancellationRequested && !ct.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            await done.CancelAsync();
            await holding;
        }
    }

    /// <summary>Lets another process have the task at once.</summary>
    public async Task ReleaseAsync()
    {
        if (_until <= clock.GetUtcNow())
            return;
        _until = default;
        await leases.ReleaseAsync(task.What, holder, CancellationToken.None);
    }

    /// <summary>Extends the lease while a turn runs; cancels the turn when another process has taken it.</summary>
    async Task HoldOnAsync(CancellationTokenSource lost, CancellationToken done)
    {
        while (!done.IsCancellationRequested)
        {
            await Task.Delay(LeaseLength / 3, clock, done).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!done.IsCancellationRequested && !await HoldAsync(CancellationToken.None))
            {
                await lost.CancelAsync();
                return;
            }
        }
    }

    /// <summary>Writes only in the second half of the lease.</summary>
    async Task<bool> HoldAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (now + LeaseLength / 2 < _until)
            return true;
        var until = now + LeaseLength;
        var isHeld = await leases.ClaimAsync(task.What, holder, now, until, ct);
        _until = isHeld ? until : default;
        return isHeld;
    }
}
