using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Jobs;

/// <summary>The stores that a worker moves rows between.</summary>
public sealed record WorkerStores(IJobStore Jobs, IMetricStore Metrics, ISpanStore Spans);

/// <summary>Takes every (span, metric) pair to one recorded outcome.</summary>
/// <remarks>
/// Any number of workers may run, in any number of processes. Calls happen at least once, effects exactly once: an outcome is recorded
/// only by the holder of the newest lease. Code and judges have lanes of their own, so slow calls never stand before quick code.
/// </remarks>
/// <param name="random">For jitter; used under a lock.</param>
/// <param name="observer">Shown every judge's verdict that this worker recorded.</param>
/// <param name="onFault">Told of every failed turn or heartbeat, with what failed in a few words; must not throw.</param>
public sealed class MetricWorker(
    WorkerStores stores, ValidatorRegistry registry, IFaultClassifier faults, WorkerOptions options, WorkSignal signal, TimeProvider clock,
    Random random, Action<string, Exception>? onFault = null, IVerdictObserver? observer = null)
{
    readonly ValidatorCache _validators = new(registry);
    readonly Lock _pauseLock = new();
    JobEnds? _ends;
    DateTimeOffset _pausedUntil;

    public WorkerHealth Health { get; } = new(clock);

    /// <summary>One turn of everything: pairs spans, runs what may run now, folds counts. A test needs no sleep.</summary>
    public async Task<WorkDone> RunOnceAsync(CancellationToken ct) =>
        await CodeTurnAsync(ct) + await JudgeTurnAsync(options.JudgeBatch, ct) + await FoldAsync(ct);

    /// <summary>Works until cancelled; a turn that fails is reported and tried again after a pause.</summary>
    public Task RunAsync(CancellationToken ct) => Task.WhenAll(
        LoopAsync("metrics", async () => await CodeTurnAsync(ct) + await FoldAsync(ct), ct),
        LoopAsync("judges", () => JudgeTurnAsync(int.MaxValue, ct), ct));

    async Task LoopAsync(string name, Func<Task<WorkDone>> turn, CancellationToken ct)
    {
        await Task.Yield();
        var idle = options.ShortestIdle;
        while (!ct.IsCancellationRequested)
        {
            var wake = signal.Next;
            try
            {
                if ((await turn()).Any)
                {
                    idle = options.ShortestIdle;
                    continue;
                }
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                Report(name, error);
                wake = Task.Delay(Timeout.InfiniteTimeSpan, ct);
                idle = options.LongestIdle;
            }
            await Task.WhenAny(wake, Task.Delay(idle, clock, ct));
            idle = idle * 2 < options.LongestIdle ? idle * 2 : options.LongestIdle;
        }
    }

    async Task<WorkDone> CodeTurnAsync(CancellationToken ct)
    {
        var spans = await stores.Jobs.FanOutAsync(options.FanOutBatch, _validators.Pair, clock.GetUtcNow(), ct);
        if (spans > 0)
        {
            Health.Progress();
            signal.Set();
        }
        var claimed = await stores.Jobs.ClaimAsync(JobLane.Code, options.CodeBatch, options.Lease, options.Name, clock.GetUtcNow(), ct);
        if (claimed.Count == 0)
            return new(spans);

        await using var keeper = Keeper(ct);
        keeper.Hold(claimed);
        var hands = await LoadAsync(claimed, ct);
        var run = Run();
        var ends = new JobEnd[hands.Count];
        await Parallel.ForEachAsync(Enumerable.Range(0, hands.Count), Degree(options.CodeConcurrency, ct), async (i, stop) =>
            ends[i] = (await run.RunAsync(hands[i], stop)).End);
        var recorded = await Ends.RecordAsync(ends, ct);
        Health.Progress();
        var kept = recorded.Count(done => done);
        return new(spans, Code: kept, Lost: recorded.Count - kept);
    }

    /// <summary>Keeps the slots full: half of them free is reason enough to claim more, so that one slow call holds up nothing.</summary>
    /// <param name="left">Jobs to start at most; a turn that ends waits for the slowest call, and the rate would suffer.</param>
    async Task<WorkDone> JudgeTurnAsync(int left, CancellationToken ct)
    {
        var done = new WorkDone();
        await using var keeper = Keeper(ct);
        var run = Run();
        var inFlight = new List<Task<WorkDone>>();
        try
        {
            while (true)
            {
                var slots = options.JudgeSlots;
                var free = Math.Min(slots - inFlight.Count, left);
                if (free > 0 && free * 2 >= Math.Min(slots, left) && !IsPaused)
                {
                    var claimed = await stores.Jobs.ClaimAsync(JobLane.Judge, free, options.Lease, options.Name, clock.GetUtcNow(), ct);
                    keeper.Hold(claimed);
                    left -= claimed.Count;
                    inFlight.AddRange((await LoadAsync(claimed, ct)).Select(hand => JudgeAsync(run, hand, keeper, ct)));
                }
                if (inFlight.Count == 0)
                    return done;
                var first = await Task.WhenAny(inFlight);
                inFlight.Remove(first);
                done += await first;
            }
        }
        catch
        {
            // The other calls are paid for: let them end, and report the first trouble only.
            await ((Task)Task.WhenAll(inFlight)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    async Task<WorkDone> JudgeAsync(JobRun run, LoadedJob hand, LeaseKeeper keeper, CancellationToken ct)
    {
        await Task.Yield();
        try
        {
            var outcome = await run.RunAsync(hand, ct);
            if (outcome.PauseFor is { } pause)
                Pause(pause);
            var recorded = await Ends.RecordAsync(outcome.End, ct);
            Health.Progress();
            if (outcome.Owed is { } owed && owed.ActualUsd != owed.ExpectedUsd)
                await stores.Jobs.SettleJudgeCallAsync(hand.Job.Project, owed.ExpectedUsd, owed.ActualUsd, owed.At, ct);
            if (recorded && observer is not null && outcome.End is JobEnd.Done { Verdict: var verdict }
                && hand is { Metric: { } metric, Span: { } span })
                await ObserveAsync(metric, span, verdict, ct);
            return recorded ? new(Judge: 1) : new(Lost: 1);
        }
        finally
        {
            keeper.Release([hand.Job]);
        }
    }

    async Task ObserveAsync(Metric metric, Span span, Verdict verdict, CancellationToken ct)
    {
        try
        {
            await observer!.ObserveAsync(metric, span, verdict, _validators.Get(metric), ct);
        }
        catch (Exception error) when (!ct.IsCancellationRequested)
        {
            // The verdict stands; a look that failed is one look less.
            onFault?.Invoke("watching a judge", error);
        }
    }

    async Task<WorkDone> FoldAsync(CancellationToken ct)
    {
        var folded = await stores.Metrics.FoldAsync(options.FoldBatch, ct);
        if (folded > 0)
            Health.Progress();
        return new(Folded: folded);
    }

    /// <summary>Metrics and spans of claimed jobs: two queries a project.</summary>
    async Task<IReadOnlyList<LoadedJob>> LoadAsync(IReadOnlyList<Job> claimed, CancellationToken ct)
    {
        var metrics = new Dictionary<(ProjectId, MetricVersionId), Metric?>();
        var spans = new Dictionary<(ProjectId, SpanId), Span>();
        foreach (var ofProject in claimed.GroupBy(job => job.Project))
        {
            foreach (var metric in await stores.Metrics.ListAsync(ofProject.Key, ct))
                metrics[(ofProject.Key, metric.VersionId)] = metric;
            foreach (var version in ofProject.Select(job => job.MetricVersion).Distinct())
                if (!metrics.ContainsKey((ofProject.Key, version)))
                    metrics[(ofProject.Key, version)] = await stores.Metrics.GetVersionAsync(ofProject.Key, version, ct);
            foreach (var span in await stores.Spans.GetAsync(ofProject.Key, [.. ofProject.Select(job => job.Span).Distinct()], ct))
                spans[(ofProject.Key, span.Id)] = span;
        }
        return
        [
            .. claimed.Select(job => new LoadedJob(
                job, metrics.GetValueOrDefault((job.Project, job.MetricVersion)), spans.GetValueOrDefault((job.Project, job.Span)))),
        ];
    }

    bool IsPaused
    {
        get { lock (_pauseLock) return clock.GetUtcNow() < _pausedUntil; }
    }

    /// <summary>All judges wait, whichever provider asked: claiming on would spend the attempts of job after job on refusals.</summary>
    void Pause(TimeSpan asked)
    {
        var until = clock.GetUtcNow() + (asked < options.LongestPause ? asked : options.LongestPause);
        lock (_pauseLock)
            _pausedUntil = until > _pausedUntil ? until : _pausedUntil;
        Health.Pause(until);
    }

    JobEnds Ends => _ends ?? Interlocked.CompareExchange(ref _ends, new(stores.Jobs, clock, error => Report("end", error)), null) ?? _ends;

    JobRun Run() => new(stores.Jobs, _validators, faults, options, clock, random);

    LeaseKeeper Keeper(CancellationToken ct) => new(stores.Jobs, options.Lease, clock, error => Report("lease", error), ct);

    static ParallelOptions Degree(int degree, CancellationToken ct) => new() { MaxDegreeOfParallelism = degree, CancellationToken = ct };

    void Report(string what, Exception error)
    {
        Health.Fault();
        onFault?.Invoke(what, error);
    }
}
