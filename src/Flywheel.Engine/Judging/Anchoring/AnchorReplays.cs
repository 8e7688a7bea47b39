using System.Security.Cryptography;
using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Judging.Aligning;

namespace Flywheel.Engine.Judging.Anchoring;

/// <summary>Asks judges about frozen cases on a schedule, and raises an alarm when they answer otherwise than they did.</summary>
/// <remarks>ALGORITHMS I3 (a). The judge is the one in force, asked anew each time: a model that changed behind its name shows.</remarks>
public sealed class AnchorReplays(IFlywheelStore store, JudgeServices services, IFaultClassifier faults, TimeProvider clock)
{
    static readonly TimeSpan Lease = TimeSpan.FromMinutes(5);

    const int AtOnce = 4, MostReplays = 1_000;

    readonly string _worker = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>Makes one replay that is due or waits.</summary>
    /// <returns>How many came to their end.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        if (await store.Anchors.ClaimAsync(_worker, now, now + Lease, ct) is not { } replay)
            return 0;
        try
        {
            var metric = await store.Metrics.GetVersionAsync(replay.Project, replay.MetricVersion, ct);
            if (metric is not { Validator.Kind: "judge" })
                return await EndAsync(replay, ReplayState.Failed, null, null, false, "the metric is no judge any more", ct);
            await AskAsync(replay, metric, ct);
            return await CompareAsync(replay, metric, ct);
        }
        catch (AlignmentPause pause)
        {
            if (pause.IsFault && replay.Attempts + 1 >= AlignmentPause.MostFaults)
                return await EndAsync(
                    replay, ReplayState.Failed, null, null, false, $"gave up after {replay.Attempts + 1} turns: {pause.Message}", ct);
            await store.Anchors.PauseAsync(replay, _worker, pause.Message, pause.IsFault, pause.Until, ct);
            return 0;
        }
        catch (AlignmentLost)
        {
            return 0;
        }
        catch (ValidatorSettingsException error)
        {
            return await EndAsync(replay, ReplayState.Failed, null, null, false, error.Message, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await store.Anchors.PauseAsync(
                replay, _worker, "interrupted; it goes on with the next turn", isFault: false, clock.GetUtcNow(), CancellationToken.None);
            throw;
        }
    }

    async Task AskAsync(AnchorReplay replay, Metric metric, CancellationToken ct)
    {
        var judge = (ISelfPayingValidator)new JudgeKind(
            services.Ledger is { } ledger ? services with { Ledger = new UnkeptReplies(ledger) } : services)
            .Create(new ValidatorContext(metric.Name, metric.Criterion, metric.Subject, metric.Project), metric.Validator.Settings);
        var known = (await store.Anchors.AnswersAsync(replay.Project, replay.Id, ct)).Select(answer => answer.Span).ToHashSet();
        var left = (await store.Anchors.CasesAsync(replay.Project, replay.Set, ct)).Select(each => each.Span)
            .Where(span => !known.Contains(span)).ToArray();
        Exception? trouble = null;
        await Parallel.ForEachAsync(
            await store.Spans.GetAsync(replay.Project, left, ct),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct },
            async (span, _) =>
            {
                if (Volatile.Read(ref trouble) is not null)
                    return;
                try
                {
                    var decision = await JudgeAsync(judge, metric, span, replay, ct);
                    if (!await store.Anchors.KeepAsync(
                        replay, _worker, new(span.Id, decision.Finding.Outcome, decision.Version), decision.Finding.CostUsd,
                        clock.GetUtcNow() + Lease, ct))
                        throw new AlignmentLost();
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    Interlocked.CompareExchange(ref trouble, error, null);
                }
            });
        if (trouble is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(trouble);
    }

    async Task<Decision> JudgeAsync(ISelfPayingValidator judge, Metric metric, Span span, AnchorReplay replay, CancellationToken ct)
    {
        var examinee = new Examinee(metric.Subject == MetricSubject.Input ? span.Content.Input : span.Content.Output, span);
        if (judge.WithoutCall(examinee) is { } free)
            return new(free, judge.Version);
        try
        {
            var decision = await judge.DecideAsync(examinee, ct);
            return decision.Finding.Outcome != Outcome.Skipped
                ? decision
                : throw new AlignmentPause(
                    decision.Finding.Reason!, new DateTimeOffset(clock.GetUtcNow().UtcDateTime.Date.AddDays(1), TimeSpan.Zero),
                    isFault: false);
        }
        catch (Exception error) when (error is not (AlignmentPause or OperationCanceledException))
        {
            var fault = faults.Classify(error);
            return fault.Retryable
                ? throw new AlignmentPause(
                    $"the judge's model cannot be reached: {fault.Reason}",
                    clock.GetUtcNow() + Longer(fault.RetryAfter, AlignmentPause.After(replay.Attempts)), isFault: true)
                : new(Finding.Error(fault.Reason), judge.Version);
        }
    }

    static TimeSpan Longer(TimeSpan? asked, TimeSpan usual) => asked > usual ? asked.Value : usual;

    async Task<int> CompareAsync(AnchorReplay replay, Metric metric, CancellationToken ct)
    {
        var answers = await store.Anchors.AnswersAsync(replay.Project, replay.Id, ct);
        var closed = (await store.JudgeWatch.AlarmsAsync(replay.Project, replay.Metric, openOnly: false, 100, ct))
            .Where(alarm => alarm.Kind == AlarmKind.Anchors).Max(alarm => alarm.ClosedAt);
        if (Baseline(await store.Anchors.ReplaysAsync(replay.Project, replay.Set, MostReplays, ct), replay, closed) is not { } baseline)
            return await EndAsync(replay, ReplayState.Done, null, null, false, null, ct);
        var comparison = AnchorComparison.Of(
            await store.Anchors.CasesAsync(replay.Project, replay.Set, ct),
            await store.Anchors.AnswersAsync(replay.Project, baseline.Id, ct), answers);
        // The alarm first: when the process ends in between, the replay is compared again and finds the alarm open.
        if (comparison.Alarms)
            await store.JudgeWatch.RaiseAsync(
                replay.Project, replay.Metric, AlarmKind.Anchors,
                answers.Count > 0 ? answers[0].ValidatorVersion : $"metric version {metric.Number}",
                comparison.Detail, clock.GetUtcNow(), ct);
        return await EndAsync(replay, ReplayState.Done, baseline.Id, comparison, comparison.Alarms, null, ct);
    }

    /// <summary>What a replay is compared with: the first of the same metric version, or the last before a person closed an
    /// alarm.</summary>
    /// <param name="replays">Newest first.</param>
    /// <returns>Null when the replay is the first of its metric version: a person changed the judge, and knows.</returns>
    internal static AnchorReplay? Baseline(IReadOnlyList<AnchorReplay> replays, AnchorReplay of, DateTimeOffset? closed)
    {
        var earlier = replays.Where(each => each.State == ReplayState.Done && each.MetricVersion == of.MetricVersion && each.Id < of.Id)
            .ToArray();
        return earlier.FirstOrDefault(each => each.EndedAt <= closed) ?? earlier.LastOrDefault();
    }

    async Task<int> EndAsync(
        AnchorReplay replay, ReplayState state, long? baseline, AnchorComparison? comparison, bool alarmed, string? detail,
        CancellationToken ct) =>
        await store.Anchors.EndAsync(replay, _worker, state, baseline, comparison, alarmed, detail, clock.GetUtcNow(), ct) ? 1 : 0;
}
