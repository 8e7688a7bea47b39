using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Review;

namespace Flywheel.Server.Hosting;

/// <summary>Runs the loop's workers in the server's process: metrics, vectors for new demonstrations, review planning.</summary>
sealed class WorkerService(
    ServerOptions options, MetricWorker metrics, DemonstrationEmbedding embedding, ReviewPlanner planner, LabelPlanner draws, FixingPlanner fixing, BackfillWorker backfills, JudgeWatch watch, JudgeAlignment alignment, AnchorReplays anchors,
    Flywheel.Core.IFlywheelStore store, TimeProvider clock,
    ILogger<WorkerService> log) : BackgroundService
{
    static readonly TimeSpan HouseKeeping = TimeSpan.FromSeconds(1);

    /// <summary>How long a text waits for its span, and may be joined by later ones.</summary>
    static readonly TimeSpan TextsKept = TimeSpan.FromDays(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => options.Work
        ? Task.WhenAll(
            metrics.RunAsync(stoppingToken),
            EveryAsync(HouseKeeping, "embedding demonstrations", embedding.RunOnceAsync, stoppingToken),
            EveryAsync(HouseKeeping, "back-filling", backfills.RunOnceAsync, stoppingToken),
            EveryAsync(10 * HouseKeeping, "watching judges", watch.RunOnceAsync, stoppingToken),
            EveryAsync(HouseKeeping, "aligning judges", alignment.RunOnceAsync, stoppingToken),
            EveryAsync(HouseKeeping, "replaying anchors", anchors.RunOnceAsync, stoppingToken),
            EveryAsync(10 * HouseKeeping, "planning reviews", planner.RunOnceAsync, stoppingToken),
            EveryAsync(10 * HouseKeeping, "drawing items to label", draws.RunOnceAsync, stoppingToken),
            EveryAsync(2 * HouseKeeping, "ordering likely failures", fixing.RunOnceAsync, stoppingToken),
            EveryAsync(60 * HouseKeeping, "forgetting texts of spans", ct => store.SpanTexts.ForgetAsync(clock.GetUtcNow() - TextsKept, ct), stoppingToken))
        : Task.CompletedTask;

    /// <summary>Owns the retry of work that is no job: a fault is logged once and the next turn tries again.</summary>
    async Task EveryAsync(TimeSpan pause, string what, Func<CancellationToken, Task<int>> work, CancellationToken ct)
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
                    log.LogError(e, "Failed at {Work}; trying again", what);
                failing = true;
            }
            await Task.Delay(pause, clock, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
