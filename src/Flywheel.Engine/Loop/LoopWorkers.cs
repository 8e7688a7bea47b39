using Flywheel.Core;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Loop;

/// <summary>The loop's workers, wherever they run: metrics, vectors for new demonstrations, review planning.</summary>
public sealed class LoopWorkers(
    MetricWorker metrics, DemonstrationEmbedding embedding, ReviewPlanner planner, LabelPlanner draws, FixingPlanner fixing, BackfillWorker backfills,
    JudgeWatch watch, JudgeCalibrator calibrator, IFlywheelStore store, TimeProvider clock)
{
    static readonly TimeSpan HouseKeeping = TimeSpan.FromSeconds(1);

    /// <summary>How long a text waits for its span, and may be joined by later ones.</summary>
    static readonly TimeSpan TextsKept = TimeSpan.FromDays(1);

    /// <summary>Works until cancelled.</summary>
    /// <param name="onFault">Told of work that failed and is tried again; must not throw.</param>
    public Task RunAsync(Action<string, Exception> onFault, CancellationToken ct) => Task.WhenAll(
        metrics.RunAsync(ct),
        EveryAsync(HouseKeeping, "embedding demonstrations", embedding.RunOnceAsync, onFault, ct),
        EveryAsync(HouseKeeping, "back-filling", backfills.RunOnceAsync, onFault, ct),
        EveryAsync(10 * HouseKeeping, "watching judges", watch.RunOnceAsync, onFault, ct),
        EveryAsync(10 * HouseKeeping, "calibrating judges", calibrator.RunOnceAsync, onFault, ct),
        EveryAsync(10 * HouseKeeping, "planning reviews", planner.RunOnceAsync, onFault, ct),
        EveryAsync(10 * HouseKeeping, "drawing items to label", draws.RunOnceAsync, onFault, ct),
        EveryAsync(2 * HouseKeeping, "ordering likely failures", fixing.RunOnceAsync, onFault, ct),
        EveryAsync(60 * HouseKeeping, "forgetting texts of spans", stop => store.SpanTexts.ForgetAsync(clock.GetUtcNow() - TextsKept, stop), onFault, ct));

    /// <summary>Owns the retry of work that is no job: a fault is told once and the next turn tries again.</summary>
    async Task EveryAsync(TimeSpan pause, string what, Func<CancellationToken, Task<int>> work, Action<string, Exception> onFault, CancellationToken ct)
    {
        var failing = false;
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await work(ct);
                failing = false;
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                if (!failing)
                    onFault(what, e);
                failing = true;
            }
            await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
