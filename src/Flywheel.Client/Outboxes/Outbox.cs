using System.Buffers;
using System.Net;
using System.Text.Json;
using System.Threading.Channels;
using Flywheel.Client.Recording;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Outboxes;

/// <summary>A folder of files in which spans and calls wait for the loop, and the one task that sends them.</summary>
/// <remarks>
/// Several processes may share the folder: each writes a file of its own, and sends besides its own those whose process is gone.
/// Whatever is sent twice, because a process died between sending and noting it, is one span or one call to the loop.
/// </remarks>
internal sealed class Outbox : IAsyncDisposable
{
    const int SegmentBytes = 4 * 1024 * 1024;
    const int LargestSend = 4_000_000;
    const int RefusalsOfCall = 3;
    static readonly TimeSpan SearchEvery = TimeSpan.FromSeconds(10);

    readonly ILoop loop;
    readonly FlywheelOptions options;
    readonly Counters counters;
    readonly string folder;
    readonly Lock gate = new();
    readonly List<OutboxSegment> segments = [];
    readonly List<(long Upto, TaskCompletionSource Done)> flushes = [];
    readonly Channel<bool> bell = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    readonly TaskCompletionSource closing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource searched = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource stop = new();
    readonly Delivery delivery;
    readonly Task running;
    OutboxSegment? open;
    long othersBytes;
    long added;
    long settled;
    long waitingSpans;
    long searchedAt = long.MinValue;
    bool closed;

    public Outbox(ILoop loop, FlywheelOptions options, Counters counters)
    {
        this.loop = loop;
        this.options = options;
        this.counters = counters;
        folder = Path.GetFullPath(options.Outbox!);
        delivery = new(RecordAsync, Answer, PutBack, options, counters, closing.Task, stop.Token, leavesWhenClosing: true);
        if (ExecutionContext.IsFlowSuppressed())
            running = Task.Run(RunAsync);
        else
            using (ExecutionContext.SuppressFlow())
                running = Task.Run(RunAsync);
    }

    /// <summary>Spans and calls on disk that were not answered yet.</summary>
    public long Waiting
    {
        get
        {
            lock (gate)
                return added - settled;
        }
    }

    /// <summary>The spans among them.</summary>
    public long WaitingSpans => Interlocked.Read(ref waitingSpans);

    public bool HasWaitingCalls => Waiting > WaitingSpans;

    /// <summary>Writes spans and waits until the disk has them; false when it could not be done, which is counted.</summary>
    /// <exception cref="ArgumentException">A span's attributes are no JSON; nothing was written.</exception>
    public bool TryStore(IReadOnlyList<NewSpan> spans) =>
        TryAppend([.. spans.Select(static span => new OutboxEntry(span, null))], mayExceed: false);

    /// <summary>The same with a call. What a person decided is kept beyond the bound.</summary>
    public bool TryStore(QueuedCall call) => TryAppend([new(null, call)], mayExceed: true);

    /// <summary>Waits until all that is on disk now, of an earlier process too, was answered.</summary>
    public async Task FlushAsync(CancellationToken ct)
    {
        await searched.Task.WaitAsync(ct).ConfigureAwait(false);
        TaskCompletionSource done;
        lock (gate)
        {
            if (closed || added == settled)
                return;
            done = new(TaskCreationOptions.RunContinuationsAsynchronously);
            flushes.Add((added, done));
        }
        await done.Task.WaitAsync(ct).ConfigureAwait(false);
    }

    /// <summary>Sends what it can in that time; the rest stays on disk for the next process.</summary>
    public async ValueTask DisposeAsync()
    {
        closing.TrySetResult();
        bell.Writer.TryWrite(true);
        await Task.WhenAny(running, Task.Delay(options.DrainTimeout, options.Time)).ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        lock (gate)
        {
            if (closed)
                return;
            closed = true;
            searched.TrySetResult();
            foreach (var segment in segments)
                Leave(segment);
            segments.Clear();
            foreach (var flush in flushes)
                flush.Done.TrySetResult();
            flushes.Clear();
        }
    }

    bool TryAppend(OutboxEntry[] entries, bool mayExceed)
    {
        var lines = new ArrayBufferWriter<byte>();
        foreach (var entry in entries)
            entry.WriteLine(lines);
        try
        {
            lock (gate)
            {
                if (closed)
                    return false;
                if (!mayExceed && Bytes() + lines.WrittenCount > options.MaxOutboxBytes)
                {
                    counters.Failed(new(
                        FlywheelFailureKind.Outbox,
                        $"The outbox holds {options.MaxOutboxBytes:N0} bytes, which is the bound: spans wait in memory."), entries.Length);
                    return false;
                }
                if (open is null || open.Length > SegmentBytes)
                {
                    segments.Add(open = OutboxSegment.Create(folder));
                    othersBytes = BytesOfOthers();
                }
                open.Append(lines.WrittenSpan, options.BeforeOutboxWrite);
                Added(entries);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            counters.Failed(new(
                FlywheelFailureKind.Outbox, $"The outbox {folder} cannot be written, so spans wait in memory: {failure.Message}", failure),
                    entries.Length);
            return false;
        }
        bell.Writer.TryWrite(true);
        return true;
    }

    long Bytes()
    {
        var bytes = othersBytes;
        foreach (var segment in segments)
            bytes += segment.Length;
        return bytes;
    }

    void Added(IReadOnlyList<OutboxEntry> entries)
    {
        added += entries.Count;
        Interlocked.Add(ref waitingSpans, entries.Count(static entry => entry.Span is not null));
    }

    async Task RunAsync()
    {
        while (true)
            try
            {
                Search();
                searched.TrySetResult();
                if (await SendNextAsync().ConfigureAwait(false))
                    continue;
                if (closing.Task.IsCompleted)
                    return;
                await Task.WhenAny(bell.Reader.WaitToReadAsync(stop.Token).AsTask(), Task.Delay(SearchEvery, options.Time, stop.Token))
                    .ConfigureAwait(false);
                bell.Reader.TryRead(out _);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception fault)
            {
                // A fault of this class, or of the disk, must not end sending for the rest of the process.
                counters.Failed(new(FlywheelFailureKind.Outbox, "Sending from the outbox failed: " + fault.Message, fault));
                if (closing.Task.IsCompleted)
                    return;
                await Task.Delay(options.MaxRetry, options.Time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
    }

    /// <summary>Takes files whose process is gone; at the start those of our own earlier life.</summary>
    void Search()
    {
        var now = options.Time.GetTimestamp();
        if (searchedAt != long.MinValue && options.Time.GetElapsedTime(searchedAt, now) < SearchEvery)
            return;
        searchedAt = now;
        foreach (var path in OutboxSegment.In(folder))
            if (OutboxSegment.Adopt(path) is { } found)
                Adopt(found);
        lock (gate)
            othersBytes = BytesOfOthers();
    }

    long BytesOfOthers() => OutboxSegment.In(folder)
        .Where(path => !segments.Exists(segment => segment.Path == path))
        .Sum(static path => new FileInfo(path) is { Exists: true } file ? file.Length : 0);

    void Adopt(OutboxSegment found)
    {
        var entries = new List<OutboxEntry>();
        for (var at = found.Sent; at < found.Length;)
        {
            stop.Token.ThrowIfCancellationRequested();
            var lines = found.Read(at, options.MaxBatch);
            entries.AddRange(lines.Entries.Select(static line => line.Entry.Span is null ? line.Entry : Placeholder));
            at = lines.Next;
        }
        lock (gate)
        {
            // Before ours, which is the youngest.
            segments.Insert(segments.IndexOf(open!) is >= 0 and var last ? last : segments.Count, found);
            Added(entries);
        }
    }

    /// <summary>Stands for a span that is counted, and read again when it is sent.</summary>
    static readonly OutboxEntry Placeholder = new(new() { Key = default, Node = "", StartedAt = default }, null);

    /// <summary>Sends the oldest entries; false when there is none.</summary>
    async Task<bool> SendNextAsync()
    {
        OutboxSegment? first;
        lock (gate)
        {
            // One that is being appended to is kept for the next spans while it is small.
            while ((first = segments.FirstOrDefault()) is { IsSent: true }
                && (first != open || first.Length > Math.Min(SegmentBytes, options.MaxOutboxBytes / 4)))
            {
                segments.Remove(first);
                if (first == open)
                    open = null;
                first.Delete();
            }
        }
        if (first is null or { IsSent: true })
            return false;
        var lines = first.Read(first.Sent, options.MaxBatch);
        if (lines.Damaged > 0)
            counters.Failed(
                new(FlywheelFailureKind.Dropped,
                    $"{lines.Damaged} line(s) of the outbox could not be read: a write that was cut short, or a damaged disk."),
                lines.Damaged);
        var run = new List<NewSpan>();
        long size = 0, end = first.Sent;
        foreach (var line in lines.Entries)
        {
            if (line.Entry.Span is { } span)
            {
                size += SpanSender.SizeOf(span);
                if (size > LargestSend)
                    await SendRunAsync().ConfigureAwait(false);
                run.Add(span);
                end = line.End;
                continue;
            }
            await SendRunAsync().ConfigureAwait(false);
            await SendAsync(line.Entry.Call!).ConfigureAwait(false);
            first.MarkSent(line.End);
            Settle(1);
        }
        await SendRunAsync().ConfigureAwait(false);
        first.MarkSent(lines.Next);
        return true;

        async Task SendRunAsync()
        {
            if (run.Count == 0)
                return;
            await delivery.SendAsync(run).ConfigureAwait(false);
            first.MarkSent(end);
            run = [];
            size = 0;
        }
    }

    async Task<bool> RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        await loop.RecordAsync(spans, ct).ConfigureAwait(false);
        return true;
    }

    void Answer(Answered outcome)
    {
        if (outcome.IsWithLoop)
            counters.Recorded(Math.Max(0, outcome.Spans - outcome.Rejected.Count));
        foreach (var one in outcome.Rejected)
            counters.Failed(new(FlywheelFailureKind.Rejected, $"{one.Code}: {one.Message}", outcome.Refusal, one.Span.Key));
        Interlocked.Add(ref waitingSpans, -outcome.Spans);
        Settle(outcome.Spans);
    }

    bool PutBack(NewSpan span)
    {
        lock (gate)
            if (added - settled <= 1)
                return false;
        return TryAppendAgain(new(span, null));
    }

    bool TryAppendAgain(OutboxEntry entry)
    {
        if (!TryAppend([entry], mayExceed: true))
            return false;
        // Who waits for it, waits for its new place.
        lock (gate)
            for (var i = 0; i < flushes.Count; i++)
                flushes[i] = flushes[i] with { Upto = added };
        return true;
    }

    /// <summary>Sends a call until the server took it, or refused it for good: then it is kept in a file beside the outbox.</summary>
    async Task SendAsync(QueuedCall call)
    {
        if (loop is not RemoteLoop server)
        {
            Keep(call, new NotSupportedException("The loop is no server."));
            return;
        }
        for (var attempt = 0; ; attempt++)
        {
            TimeSpan pause;
            var told = false;
            var last = closing.Task.IsCompleted;
            try
            {
                await delivery.TimelyAsync(async ct =>
                {
                    await server.PostAsync(call, ct).ConfigureAwait(false);
                    return true;
                }).ConfigureAwait(false);
                return;
            }
            catch (HttpRequestException unknown) when (unknown.StatusCode == HttpStatusCode.NotFound && call.Refusals < RefusalsOfCall)
            {
                // Its span may be in a file that is sent later.
                if (TryAppendAgain(new(null, call with { Refusals = call.Refusals + 1 })))
                {
                    await delivery.PauseAsync(delivery.PauseAfter(call.Refusals), mayHurry: true).ConfigureAwait(false);
                    return;
                }
                pause = delivery.PauseAfter(attempt);
            }
            catch (Exception refused)
                when (refused is BatchRefusedException
                    or HttpRequestException { StatusCode: HttpStatusCode.NotFound or HttpStatusCode.Conflict })
            {
                Keep(call, refused);
                return;
            }
            catch (Exception failure) when (!stop.IsCancellationRequested)
            {
                counters.Failed(new(FlywheelFailureKind.Send, $"Sending {call.Path} failed: {failure.Message}", failure));
                told = failure is OverloadedException;
                pause = failure is OverloadedException full ? BackOff.Told(full.RetryAfter) : delivery.PauseAfter(attempt);
            }
            if (last)
                throw new OperationCanceledException("Closing, and the last try failed.");
            await delivery.PauseAsync(pause, mayHurry: !told).ConfigureAwait(false);
        }
    }

    /// <summary>What a person decided must not be lost, not even when the server will not have it.</summary>
    void Keep(QueuedCall call, Exception refused)
    {
        var file = Path.Combine(folder, RefusedFile);
        counters.Failed(new(FlywheelFailureKind.Rejected, $"{call.Path} was refused and is kept in {file}: {refused.Message}", refused));
        var line = JsonSerializer.Serialize(
            new WireRefused(options.Time.GetUtcNow(), call.Path, call.Key, call.Body, refused.Message), Wire.Default.WireRefused) + "\n";
        var access = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite };
        if (!OperatingSystem.IsWindows())
            access.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var writer = new FileStream(file, access);
        writer.Write(System.Text.Encoding.UTF8.GetBytes(line));
        writer.Flush(flushToDisk: true);
    }

    /// <summary>Calls that the server refused for good, a JSON object a line.</summary>
    internal const string RefusedFile = "refused.jsonl";

    void Settle(int count)
    {
        lock (gate)
        {
            settled += count;
            for (var i = flushes.Count - 1; i >= 0; i--)
                if (flushes[i].Upto <= settled)
                {
                    flushes[i].Done.TrySetResult();
                    flushes.RemoveAt(i);
                }
        }
    }

    static void Leave(OutboxSegment segment)
    {
        try
        {
            if (segment.IsSent)
                segment.Delete();
        }
        catch (IOException)
        {
            // An empty file is found and removed by the next process.
        }
        segment.Dispose();
    }
}
