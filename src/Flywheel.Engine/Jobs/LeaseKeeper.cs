using Flywheel.Core.Jobs;

namespace Flywheel.Engine.Jobs;

/// <summary>Prolongs the leases of jobs in work until they end.</summary>
/// <remarks>A heartbeat that fails is counted and not fatal: the fence sees to it that nothing is recorded twice.</remarks>
sealed class LeaseKeeper : IAsyncDisposable
{
    readonly IJobStore _jobs;
    readonly TimeSpan _lease;
    readonly TimeProvider _clock;
    readonly Action<Exception> _onFault;
    readonly Dictionary<long, Job> _held = [];
    readonly CancellationTokenSource _stop;
    readonly Task _beats;

    public LeaseKeeper(IJobStore jobs, TimeSpan lease, TimeProvider clock, Action<Exception> onFault, CancellationToken ct)
    {
        (_jobs, _lease, _clock, _onFault) = (jobs, lease, clock, onFault);
        _stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        _beats = BeatAsync(_stop.Token);
    }

    public void Hold(IEnumerable<Job> jobs)
    {
        lock (_held)
            foreach (var job in jobs)
                _held[job.Id] = job;
    }

    public void Release(IEnumerable<Job> jobs)
    {
        lock (_held)
            foreach (var job in jobs)
                _held.Remove(job.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _beats;
        _stop.Dispose();
    }

    async Task BeatAsync(CancellationToken ct)
    {
        using var timer = new PeriodicTimer(_lease / 3, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(ct))
            {
                Job[] held;
                lock (_held)
                    held = [.. _held.Values];
                if (held.Length > 0)
                    await ProlongAsync(held, ct);
            }
        }
        catch (OperationCanceledException)
        {
            // The work is over.
        }
    }

    async Task ProlongAsync(Job[] held, CancellationToken ct)
    {
        try
        {
            await _jobs.ExtendAsync(held, _lease, _clock.GetUtcNow(), ct);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            _onFault(error);
        }
    }
}
