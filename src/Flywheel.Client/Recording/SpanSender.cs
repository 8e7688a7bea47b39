using System.Threading.Channels;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Recording;

/// <summary>A bounded queue in memory and the one task that empties it into the loop, in order.</summary>
/// <remarks>Adding takes a lock for the length of an enqueue and never waits for the loop.</remarks>
/// <param name="record">Gives spans to the loop, or to what keeps them for it: see <see cref="Delivery"/>.</param>
internal sealed class SpanSender(
    Func<IReadOnlyList<NewSpan>, CancellationToken, Task<bool>> record, FlywheelOptions options, Counters counters) : IAsyncDisposable
{
    static readonly TimeSpan LongestWrite = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly Queue<NewSpan> waiting = new();
    readonly List<(long Upto, TaskCompletionSource Done)> flushes = [];
    readonly Channel<bool> bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource stop = new();
    long added;
    long settled;
    long characters;
    bool stopped;
    Delivery? delivery;
    int open;
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
        await stop.CancelAsync().ConfigureAwait(false);
        // A batch that is being written to disk at this moment is either stored or lost, and must not be counted as both.
        if (last is not null)
            await Task.WhenAny(last, Task.Delay(LongestWrite)).ConfigureAwait(false);

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
            if (stop.IsCancellationRequested)
                return;
            await GatherAsync().ConfigureAwait(false);
            var batch = Take();
            open = batch.Count;
            try
            {
                var good = Checked(batch);
                open = good.Count;
                if (batch.Count > open)
                    Settle(batch.Count - open);
                await (delivery ??= NewDelivery()).SendAsync(good).ConfigureAwait(false);
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

    void Answer(Answered outcome)
    {
        open -= outcome.Spans;
        lock (gate)
            if (stopped)
                return;
        if (outcome.IsWithLoop)
            counters.Recorded(Math.Max(0, outcome.Spans - outcome.Rejected.Count));
        foreach (var one in outcome.Rejected)
            Reject(one.Span, one.Code, one.Message, outcome.Refusal);
        Settle(outcome.Spans);
    }

    /// <summary>Behind the others, counted as one more: its first try is settled as the answer to it comes.</summary>
    bool PutBack(NewSpan span)
    {
        lock (gate)
        {
            if (waiting.Count == 0)
                return false;
            waiting.Enqueue(span);
            added++;
            characters += SizeOf(span);
            // Who waits for it, waits for its new place.
            for (var i = 0; i < flushes.Count; i++)
                flushes[i] = flushes[i] with { Upto = added };
            return true;
        }
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

    Delivery NewDelivery() => new(record, Answer, PutBack, options, counters, closing.Task, stop.Token);

    internal static long SizeOf(NewSpan span) =>
        1L + (span.Input?.Length ?? 0) + (span.Output?.Length ?? 0) + (span.Error?.Length ?? 0) + (span.Attributes?.Length ?? 0);
}
