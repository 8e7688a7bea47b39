using System.Security.Cryptography;
using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Looks for better judges of a metric, and proposes one that people's later labels bear out.</summary>
/// <remarks>A search is durable: its answers are kept as all paid replies are, so what was interrupted goes on where it was.</remarks>
public sealed class JudgeAlignment(
    IFlywheelStore store, JudgeServices services, GuidelineDistillation distillation, AlignmentPreparation preparation, IEmbedder embedder,
    IFaultClassifier faults, TimeProvider clock, Func<int>? concurrency = null)
{
    /// <summary>A search whose worker says nothing for so long is taken over.</summary>
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    readonly string _worker = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Makes a search here, or follows it if another worker has it, until it ends or has to wait.</summary>
    /// <param name="report">Told (done, total).</param>
    public async Task<AlignmentRun> FinishAsync(AlignmentRun run, Action<int, int> report, CancellationToken ct)
    {
        while (true)
        {
            if (await RunAsync(run.Id, report, ct) is { } made)
                return made;
            var now = await store.Alignments.FindAsync(run.Project, run.Id, ct)
                ?? throw new FlywheelException("The search was deleted while it ran.");
            if (now.State != AlignmentState.Running || (now is { Worker: null, Detail: not null } && now.VisibleAt > clock.GetUtcNow()))
                return now;
            report(now.Done, now.Total);
            await Task.Delay(BetweenLooks, clock, ct);
        }
    }

    /// <summary>Makes the oldest search that waits.</summary>
    /// <returns>How many were ended.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct) =>
        (await RunAsync(null, null, ct))?.State is AlignmentState.Done or AlignmentState.Failed ? 1 : 0;

    /// <param name="only">Null for the oldest that waits.</param>
    /// <param name="report">Told (done, total).</param>
    /// <returns>The search as it is then; null when there is none to take.</returns>
    public async Task<AlignmentRun?> RunAsync(long? only, Action<int, int>? report, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (await store.Alignments.ClaimAsync(only, _worker, now, now + Lease, ct) is not { } run)
            return null;
        try
        {
            if (await store.Metrics.GetVersionAsync(run.Project, run.MetricVersion, ct) is not { } version
                || await store.Metrics.FindAsync(run.Project, version.Name, ct) is not { } metric || metric.VersionId != run.MetricVersion)
                return await EndAsync(run, "the metric has a newer version than the search began with: begin again", ct);
            var request = new AlignmentRequest(run.Plan.Labels, run.Plan.Model, run.Plan.Reference);
            var (material, candidates, _, notes) = await preparation.PrepareAsync(metric, request, run.LabelUntil, ct);
            if (material.Split.Missing() is > 0 and var missing)
                return await EndAsync(run, $"labels have gone since the search began: about {missing} more are needed", ct);
            using var search = new AlignmentSearch(
                store, services, distillation, embedder, faults, clock, run, _worker, Lease, concurrency?.Invoke() ?? 8, report);
            return await search.RunAsync(material, candidates, notes, ct);
        }
        catch (AlignmentPause pause)
        {
            if (pause.IsFault && run.Attempts + 1 >= AlignmentPause.MostFaults)
                return await EndAsync(run, $"gave up after {run.Attempts + 1} turns: {pause.Message}", ct);
            await store.Alignments.PauseAsync(run, _worker, pause.Message, pause.IsFault, pause.Until, ct);
            return await store.Alignments.FindAsync(run.Project, run.Id, ct);
        }
        catch (AlignmentLost)
        {
            return await store.Alignments.FindAsync(run.Project, run.Id, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // What is known is kept: the next turn, here or elsewhere, goes on at once.
            await store.Alignments.PauseAsync(
                run, _worker, "interrupted; it goes on with the next turn", isFault: false, clock.GetUtcNow(), CancellationToken.None);
            throw;
        }
        catch (Exception error) when (error is AlignmentFailure or RequestException or ValidatorSettingsException or ModelSetupException)
        {
            return await EndAsync(run, error.Message, ct);
        }
        catch (Exception error)
        {
            // No search is stuck in a loop of faults: the worker's turn ends with the fault, and the count of turns with it.
            if (run.Attempts + 1 >= AlignmentPause.MostFaults)
                await EndAsync(run, $"gave up after {run.Attempts + 1} turns: {error.GetType().Name}", ct);
            else
                await store.Alignments.PauseAsync(
                    run, _worker, $"a fault: {error.GetType().Name}", isFault: true, clock.GetUtcNow() + AlignmentPause.After(run.Attempts),
                    ct);
            throw;
        }
    }

    Task<AlignmentRun?> EndAsync(AlignmentRun run, string why, CancellationToken ct) =>
        store.Alignments.EndAsync(run, _worker, why, null, null, clock.GetUtcNow(), ct);
}
