using Flywheel.Core;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Loop;

/// <summary>Work that comes round again: done once, then after the pause.</summary>
/// <param name="What">For messages, such as <c>planning reviews</c>.</param>
public sealed record PeriodicTask(string What, TimeSpan Pause, Func<CancellationToken, Task<int>> RunOnceAsync);

/// <summary>The loop's workers, wherever they run: metrics, vectors for new demonstrations, review planning.</summary>
/// <param name="others">What only some processes do, such as a server's calls to other systems.</param>
public sealed class LoopWorkers(
    MetricWorker metrics, DemonstrationEmbedding embedding, ReviewPlanner planner, LabelPlanner draws, FixingPlanner fixing, BackfillWorker backfills,
    JudgeWatch watch, JudgeCalibrator calibrator, IFlywheelStore store, TimeProvider clock,
    IEnumerable<PeriodicTask>? others = null)
{
    static readonly TimeSpan HouseKeeping = TimeSpan.FromSeconds(1);

    /// <summary>How long a text waits for its span, and may be joined by later ones.</summary>
    static readonly TimeSpan TextsKept = TimeSpan.FromDays(1);

    /// <summary>Works until cancelled.</summary>
    /// <param name="onFault">Told of work that failed and is tried again; must not throw.</param>
    public Task RunAsync(Action<string, Exception> onFault, CancellationToken ct) => Task.WhenAll(
        PeriodicTasks().Select(task => EveryAsync(task, onFault, ct)).Prepend(metrics.RunAsync(ct)));

    IEnumerable<PeriodicTask> PeriodicTasks() =>
    [
        new("embedding demonstrations", HouseKeeping, embedding.RunOnceAsync),
        new("back-filling", HouseKeeping, backfills.RunOnceAsync),
        new("watching judges", 10 * HouseKeeping, watch.RunOnceAsync),
        new("calibrating judges", 10 * HouseKeeping, calibrator.RunOnceAsync),
        new("planning reviews", 10 * HouseKeeping, planner.RunOnceAsync),
        new("drawing items to label", 10 * HouseKeeping, draws.RunOnceAsync),
        new("ordering likely failures", 2 * HouseKeeping, fixing.RunOnceAsync),
        new("forgetting texts of spans", 60 * HouseKeeping, ct => store.SpanTexts.ForgetAsync(clock.GetUtcNow() - TextsKept, ct)),
        .. others ?? [],
    ];

    /// <summary>Owns the retry of work that is no job: a fault is told once and the next turn tries again.</summary>
    async Task EveryAsync(PeriodicTask task, Action<string, Exception> onFault, CancellationToken ct)
    {
        var failing = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await task.RunOnceAsync(ct);
                failing = false;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!failing)
                    onFault(task.What, e);
                failing = true;
            }
            await Task.Delay(task.Pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
