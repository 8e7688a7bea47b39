using Flywheel.Core.Jobs;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Loop;

/// <summary>The loop's workers, in a server or inside an application: metric jobs, and what is done again after each pause.</summary>
public sealed class LoopWorkers(MetricWorker metrics, IEnumerable<PeriodicTask> tasks, IPeriodicTaskStore leases, TimeProvider clock)
{
    readonly string _holder = $"{Environment.MachineName}/{Environment.ProcessId}/{Guid.NewGuid():N}";

    /// <summary>Works until cancelled.</summary>
    /// <param name="onFault">Called for work that failed and will be tried again; must not throw.</param>
    public Task RunAsync(Action<string, Exception> onFault, CancellationToken ct) => Task.WhenAll(
        tasks.Select(task => RepeatAsync(task, onFault, ct)).Prepend(metrics.RunAsync(ct)));

    /// <summary>Owns the retry of work that is no job: a fault is reported once and the next turn tries again.</summary>
    async Task RepeatAsync(PeriodicTask task, Action<string, Exception> onFault, CancellationToken ct)
    {
        var turns = new PeriodicTaskTurns(task, leases, _holder, clock);
        var failing = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await turns.RunOnceAsync(ct);
                failing = false;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                if (!failing)
                    onFault(task.What, e);
                failing = true;
            }
            await Task.Delay(task.Pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        try
        {
            await turns.ReleaseAsync();
        }
        catch (Exception e)
        {
            // Nobody waits longer than for the lease to end.
            onFault(task.What, e);
        }
    }
}
