using System.Threading.Channels;
using Flywheel.Core;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Recording;

/// <summary>A bounded queue in memory and the one task that empties it into the loop, in order.</summary>
/// <remarks>Adding takes a lock for the length of an enqueue and never waits for the loop.</remarks>
internal sealed class SpanSender(ILoop loop, FlywheelOptions options, Counters counters) : IAsyncDisposable
{
    readonly Lock gate = new();
    readonly Queue<NewSpan> waiting = new();
    readonly List<(long Upto, TaskCompletionSource Done)> flushes = [];
    readonly Channel<bool> bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource stop = new();
    readonly BackOff backOff = new(options.FirstRetry, options.MaxRetry, Random.Shared);
    long added;
    long settled;
    long characters;
    bool stopped;
    bool hurried;
    Task? running;

    public long Pending
    {
        get
        {
            lock (gate)
                return added - settled;
        }
    }

    public bool IsClosed => closing.Task.IsCompleted;

    public void Add(NewSpan span)
    {
        var size = SizeOf(span);
        string? refusal = null;
        var ring = false;
        lock (gate)
        {
            if (IsClosed)
                refusal = "The connection was disposed before the span ended.";
            else if (added - settled >= options.MaxPending)
                refusal = $"{options.MaxPending:N0} spans are pending, which is the bound.";
            else if (characters > 0 && characters + size > options.MaxPendingCharacters)
                refusal = $"{options.MaxPendingCharacters:N0} characters are pending, which is the bound.";
            else
            {
                waiting.Enqueue(span);
                added++;
                characters += size;
                ring = waiting.Count == 1 || waiting.Count == options.MaxBatch;
                running ??= Start();
            }
        }
        if (refusal is not null)
            counters.Failed(new(FlywheelFailureKind.Dropped, refusal, Span: span.Key));
        else if (ring)
            bell.Writer.TryWrite(true);
    }

    /// <summary>Waits until every span added before the call has its outcome.</summary>
    public Task FlushAsync(CancellationToken ct)
    {
        TaskCompletionSource done;
        lock (gate)
        {
            if (stopped || added == settled)
                return Task.CompletedTask;
            done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            flushes.Add((added, done));
        }
        bell.Writer.TryWrite(true);
        return done.Task.WaitAsync(ct);
    }

    /// <summary>Takes no more spans and sends what is pending, for as long as <see cref="FlywheelOptions.DrainTimeout"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        Task? last;
        lock (gate)
        {
            closing.TrySetResult();
            last = running;
        }
        bell.Writer.TryWrite(true);
        if (last is not null)
            await Task.WhenAny(last, Task.Delay(options.DrainTimeout, options.Time)).ConfigureAwait(false);

        long lost;
        lock (gate)
        {
            if (stopped)
                return;
            stopped = true;
            lost = added - settled;
            settled = added;
            waiting.Clear();
            foreach (var flush in flushes)
                flush.Done.TrySetResult();
            flushes.Clear();
        }
        await stop.CancelAsync().ConfigureAwait(false);
        if (lost > 0)
            counters.Failed(new(FlywheelFailureKind.Dropped, $"{lost} span(s) were still unsent when the connection was disposed."), lost);
    }

    /// <summary>Starts the task outside the first caller's context, so that its activity and trace do not live on in ours.</summary>
    Task Start()
    {
        if (ExecutionContext.IsFlowSuppressed())
            return Task.Run(RunAsync);
        using (ExecutionContext.SuppressFlow())
            return Task.Run(RunAsync);
    }

    async Task RunAsync()
    {
        while (await HasWorkAsync().ConfigureAwait(false))
        {
            await GatherAsync().ConfigureAwait(false);
            var batch = Take();
            var open = batch.Count;
            try
            {
                var good = Checked(batch);
                open = good.Count;
                if (batch.Count > open)
                    Settle(batch.Count - open);
                await SendAsync(good, sent => open -= sent).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // A fault of this class itself must not end recording for the rest of the process.
                counters.Failed(new(FlywheelFailureKind.Dropped, "The sender failed: " + fault.Message, fault), open);
                Settle(open);
            }
            Release(batch);
        }
    }

    async Task<bool> HasWorkAsync()
    {
        while (true)
        {
            lock (gate)
            {
                if (stopped)
                    return false;
                if (waiting.Count > 0)
                    return true;
                if (IsClosed)
                    return false;
            }
            await bell.Reader.ReadAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Waits for a full batch, but no longer than the delay, and not at all when somebody waits for us.</summary>
    async Task GatherAsync()
    {
        Task? delay = null;
        using var late = new CancellationTokenSource();
        while (true)
        {
            lock (gate)
                if (waiting.Count >= options.MaxBatch || IsClosed || flushes.Count > 0)
                    break;
            delay ??= Task.Delay(options.MaxDelay, options.Time, late.Token);
            var rung = bell.Reader.WaitToReadAsync().AsTask();
            if (await Task.WhenAny(rung, delay).ConfigureAwait(false) == delay)
                break;
            bell.Reader.TryRead(out _);
        }
        await late.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>The next spans: at most a batch of them, and seldom more characters than a server takes in one request.</summary>
    List<NewSpan> Take()
    {
        const long roomy = 4_000_000;
        var batch = new List<NewSpan>();
        long size = 0;
        lock (gate)
            while (batch.Count < options.MaxBatch && waiting.TryPeek(out var next))
            {
                size += SizeOf(next);
                if (batch.Count > 0 && size > roomy)
                    break;
                batch.Add(waiting.Dequeue());
            }
        return batch;
    }

    List<NewSpan> Checked(List<NewSpan> batch)
    {
        var now = options.Time.GetUtcNow();
        var good = new List<NewSpan>(batch.Count);
        foreach (var span in batch)
            if (SpanRules.Check(span, now) is { } refusal)
                Reject(span, refusal.Code, refusal.Message, null);
            else
                good.Add(span);
        return good;
    }

    /// <summary>Repeats until the loop has answered for every span; a refused batch is halved until the culprit stands alone.</summary>
    async Task SendAsync(List<NewSpan> spans, Action<int> answered)
    {
        if (spans.Count == 0)
            return;
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan pause;
            var told = false;
            try
            {
                var deadline = new CancellationTokenSource();
                var recording = loop.RecordAsync(spans, deadline.Token);
                try
                {
                    await recording.WaitAsync(options.SendTimeout, options.Time, stop.Token).ConfigureAwait(false);
                }
                finally
                {
                    if (!recording.IsCompleted)
                        Abandon(recording, deadline);
                }
                Answer([]);
                return;
            }
            catch (SpansRejectedException refused)
            {
                Answer(refused.Rejected, refused);
                return;
            }
            catch (Exception refused) when (refused is BatchRefusedException or ArgumentException)
            {
                if (spans.Count == 1)
                {
                    Answer([new(spans[0], (refused as BatchRefusedException)?.Code ?? "invalid", refused.Message)], refused);
                    return;
                }
                var half = spans.Count / 2;
                await SendAsync([.. spans.Take(half)], answered).ConfigureAwait(false);
                await SendAsync([.. spans.Skip(half)], answered).ConfigureAwait(false);
                return;
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                counters.Failed(new(FlywheelFailureKind.Send, $"Sending {spans.Count} span(s) failed: {failure.Message}", failure));
                told = failure is OverloadedException;
                pause = failure is OverloadedException full ? BackOff.Told(full.RetryAfter) : backOff.Next(attempt);
            }
            await PauseAsync(pause, mayHurry: !told).ConfigureAwait(false);
        }

        void Answer(IReadOnlyList<RejectedSpan> rejected, Exception? refusal = null)
        {
            answered(spans.Count);
            lock (gate)
                if (stopped)
                    return;
            counters.Recorded(Math.Max(0, spans.Count - rejected.Count));
            foreach (var one in rejected)
                Reject(one.Span, one.Code, one.Message, refusal);
            Settle(spans.Count);
        }
    }

    /// <summary>Closing cuts a pause of ours short once, for a last try; a pause that the server asked for stands.</summary>
    async Task PauseAsync(TimeSpan pause, bool mayHurry)
    {
        var delay = Task.Delay(pause, options.Time, stop.Token);
        if (mayHurry && !hurried)
        {
            await Task.WhenAny(delay, closing.Task).ConfigureAwait(false);
            hurried = IsClosed;
        }
        else
            await delay.ConfigureAwait(false);
    }

    /// <summary>Leaves a call that does not come back: it is asked to stop, and what it throws later is nobody's.</summary>
    static void Abandon(Task call, CancellationTokenSource deadline)
    {
        _ = call.ContinueWith(
            static late => _ = late.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _ = deadline.CancelAsync();
    }

    void Reject(NewSpan span, string code, string message, Exception? exception) =>
        counters.Failed(new(FlywheelFailureKind.Rejected, $"{code}: {message}", exception, span.Key));

    /// <summary>Outcomes are counted before this, so that who waited for a flush reads true figures.</summary>
    void Settle(int count)
    {
        lock (gate)
        {
            if (stopped)
                return;
            settled += count;
            for (var i = flushes.Count - 1; i >= 0; i--)
                if (flushes[i].Upto <= settled)
                {
                    flushes[i].Done.TrySetResult();
                    flushes.RemoveAt(i);
                }
        }
    }

    void Release(List<NewSpan> batch)
    {
        lock (gate)
            foreach (var span in batch)
                characters -= SizeOf(span);
    }

    static long SizeOf(NewSpan span) =>
        1L + (span.Input?.Length ?? 0) + (span.Output?.Length ?? 0) + (span.Error?.Length ?? 0) + (span.Attributes?.Length ?? 0);
}
