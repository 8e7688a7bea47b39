using System.Threading.Channels;
using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Jobs;

namespace Flywheel.Engine.Evaluation;

/// <summary>How an evaluation does its work.</summary>
/// <param name="Concurrency">Rows in work at once.</param>
public sealed record EvalOptions(int Concurrency)
{
    /// <summary>Rows that travel together; calls of models go one by one, so that each is kept as soon as it is paid for.</summary>
    public int Chunk { get; init; } = 64;

    /// <summary>At most so many rows are kept in one transaction …</summary>
    public int CommitRows { get; init; } = 2_000;

    /// <summary>… and none waits longer than this for its transaction.</summary>
    public TimeSpan CommitEvery { get; init; } = TimeSpan.FromMilliseconds(250);

    public TimeSpan CodeTimeout { get; init; } = TimeSpan.FromSeconds(10);
    public TimeSpan JudgeTimeout { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>For a model to make a row's output.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Calls of a model for one check, when what failed may pass.</summary>
    public int Attempts { get; init; } = 4;

    public RetrySchedule Retry { get; init; } = new(TimeSpan.FromSeconds(1), 4, TimeSpan.FromMinutes(1));
}

/// <summary>Checks every row of a data set with every metric of a set.</summary>
/// <remarks>A fault of one row is that row's outcome <c>error</c>; only a fault of keeping results stops the run.</remarks>
/// <param name="random">For the jitter of retries; used under a lock.</param>
public sealed class Evaluation(
    IReadOnlyList<EvalMetric> metrics, IFaultClassifier faults, EvalOptions options, TimeProvider clock, Random random)
{
    const int ExcerptLength = 200;

    static readonly PlatformFaults Platform = new();

    /// <summary>Gives a row its output before it is checked; null when its output is in the row.</summary>
    public Func<EvalCase, CancellationToken, ValueTask<EvalCase>>? Answer { get; init; }

    /// <summary>Null for no limit. When it is used up, rows that are in work are finished and the others left.</summary>
    public EvalBudget? Budget { get; init; }

    bool CallsModels => Answer is not null || metrics.Any(metric => metric.Kind.CallsModel);

    /// <summary>Reads, checks and keeps rows; results are kept in no particular order.</summary>
    /// <param name="read">Turns a raw row into a case; runs on many threads and does not throw.</param>
    /// <param name="keep">Makes cases durable; called by one thread at a time.</param>
    /// <returns>Rows checked.</returns>
    public async Task<long> RunAsync<TRow>(
        IEnumerable<TRow> rows, Func<TRow, EvalCase> read, Func<IReadOnlyList<EvaluatedCase>, Task> keep, CancellationToken ct)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var raw = Channel.CreateBounded<TRow[]>(new BoundedChannelOptions(2 * options.Concurrency) { SingleWriter = true });
        var checkedCases = Channel.CreateBounded<EvaluatedCase[]>(
            new BoundedChannelOptions(4 * options.Concurrency) { SingleReader = true });
        var kept = 0L;

        // Of several parts that stop, the one that failed is reported, not those that were cancelled for it.
        await Task.WhenAll(
            Part(async () =>
            {
                foreach (var chunk in rows.Chunk(CallsModels ? 1 : options.Chunk))
                    await raw.Writer.WriteAsync(chunk, stop.Token);
                raw.Writer.Complete();
            }),
            Part(async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, options.Concurrency).Select(_ => Task.Run(WorkAsync, stop.Token)));
                checkedCases.Writer.Complete();
            }),
            Part(async () => kept = await KeepAsync(checkedCases.Reader, keep, stop.Token)));
        return kept;

        async Task WorkAsync()
        {
            await foreach (var chunk in raw.Reader.ReadAllAsync(stop.Token))
            {
                if (Budget is not null && !await Budget.EnterAsync(stop.Token))
                    continue;
                var done = new EvaluatedCase[chunk.Length];
                var cost = 0.0;
                for (var i = 0; i < chunk.Length; i++)
                {
                    var one = read(chunk[i]);
                    if (Answer is not null)
                        one = await Answer(one, stop.Token);
                    done[i] = await CheckAsync(one, stop.Token);
                    cost += one.CostUsd + done[i].Findings.Sum(finding => finding.CostUsd);
                }
                await checkedCases.Writer.WriteAsync(done, stop.Token);
                Budget?.Leave(cost);
            }
        }

        async Task Part(Func<Task> work)
        {
            try
            {
                await Task.Run(work, stop.Token);
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }
    }

    async Task<long> KeepAsync(ChannelReader<EvaluatedCase[]> cases, Func<IReadOnlyList<EvaluatedCase>, Task> keep, CancellationToken ct)
    {
        var (kept, batch) = (0L, new List<EvaluatedCase>());
        while (await cases.WaitToReadAsync(ct))
        {
            var began = clock.GetTimestamp();
            while (batch.Count < options.CommitRows && clock.GetElapsedTime(began) < options.CommitEvery)
            {
                if (cases.TryRead(out var chunk))
                    batch.AddRange(chunk);
                else if (CallsModels || !await MoreWithin(cases, options.CommitEvery - clock.GetElapsedTime(began), ct))
                    break;
            }
            await keep(batch);
            kept += batch.Count;
            batch.Clear();
        }
        return kept;
    }

    /// <summary>False when nothing came in time, or nothing comes any more.</summary>
    async Task<bool> MoreWithin(ChannelReader<EvaluatedCase[]> cases, TimeSpan time, CancellationToken ct)
    {
        if (time <= TimeSpan.Zero)
            return false;
        try
        {
            return await cases.WaitToReadAsync(ct).AsTask().WaitAsync(time, clock, ct);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    async Task<EvaluatedCase> CheckAsync(EvalCase one, CancellationToken ct)
    {
        var findings = new Finding[metrics.Count];
        for (var i = 0; i < findings.Length; i++)
            findings[i] = WithoutChecking(metrics[i], one) ?? await CheckAsync(metrics[i], one, ct);
        var output = one.Span?.Content.Output;
        return new(
            one.Row, one.Id, output is null || output.Length <= ExcerptLength ? output : Cut(output), one.Expected,
            one.Compares ? output?.Trim() : null, findings);
    }

    static Finding? WithoutChecking(EvalMetric metric, EvalCase one)
    {
        if (one.Span is null)
            return Finding.Error(one.Problem ?? "the row cannot be read");
        if (metric.WhyNot(one) is { } reason)
            return Finding.Skipped(reason);
        return one.NoOutput is { } lacking && metric.Metric.Subject == MetricSubject.Output ? Finding.Error(lacking) : null;
    }

    async ValueTask<Finding> CheckAsync(EvalMetric metric, EvalCase one, CancellationToken ct)
    {
        var content = one.Span!.Content;
        var examinee = new Examinee(metric.Metric.Subject == MetricSubject.Input ? content.Input : content.Output, one.Span);
        for (var attempt = 1; ; attempt++)
            try
            {
                return await CheckOnceAsync(metric, examinee, ct);
            }
            catch (Exception error) when (!ct.IsCancellationRequested)
            {
                var fault = error is TimeoutException or OperationCanceledException
                    ? new Fault(true, null, $"no answer within {Limit(metric).TotalSeconds:0.#} s", MayHaveCost: true)
                    : (metric.Kind.CallsModel ? faults : Platform).Classify(error);
                if (!metric.Kind.CallsModel || !fault.Retryable || attempt >= options.Attempts)
                    return Finding.Error(attempt == 1 ? fault.Reason : $"gave up after {attempt} attempts: {fault.Reason}");
                await Task.Delay(Wait(attempt, fault.RetryAfter), clock, ct);
            }
    }

    /// <summary>What ends at once costs no timer.</summary>
    async ValueTask<Finding> CheckOnceAsync(EvalMetric metric, Examinee examinee, CancellationToken ct)
    {
        if (!metric.Kind.CallsModel)
        {
            var check = metric.Validator.CheckAsync(examinee, ct);
            return check.IsCompletedSuccessfully ? check.Result : await check.AsTask().WaitAsync(options.CodeTimeout, clock, ct);
        }
        using var late = new CancellationTokenSource(options.JudgeTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        return await metric.Validator.CheckAsync(examinee, either.Token);
    }

    TimeSpan Limit(EvalMetric metric) => metric.Kind.CallsModel ? options.JudgeTimeout : options.CodeTimeout;

    TimeSpan Wait(int failures, TimeSpan? retryAfter)
    {
        lock (random)
            return options.Retry.Delay(failures, retryAfter, random.NextDouble());
    }

    static string Cut(string text) => text[..(char.IsHighSurrogate(text[ExcerptLength - 1]) ? ExcerptLength - 1 : ExcerptLength)] + "…";
}
