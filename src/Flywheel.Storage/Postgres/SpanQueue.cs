using Flywheel.Core.Traces;

namespace Flywheel.Storage.Postgres;

/// <summary>Group commit in front of PostgreSQL: what arrives while a statement runs goes into the next one together.</summary>
internal sealed class SpanQueue : IAsyncDisposable
{
    /// <summary>Spans of one statement.</summary>
    const int GroupWeight = 1_000;

    /// <summary>One statement is prepared and sent while another one waits for its disk.</summary>
    const int Lanes = 2;

    readonly Func<IReadOnlyList<SpanRequest>, Task<SpanInsertResult[][]>> store;
    readonly int capacity;
    readonly Lock gate = new();
    readonly Queue<Waiting> queue = new();
    readonly SemaphoreSlim arrived = new(0);
    readonly Task[] lanes;
    int waiting;
    bool stopping;

    public SpanQueue(Func<IReadOnlyList<SpanRequest>, Task<SpanInsertResult[][]>> store, int capacity)
    {
        this.store = store;
        this.capacity = capacity;
        lanes = Enumerable.Range(0, Lanes).Select(_ => Task.Run(LoopAsync)).ToArray();
    }

    public async Task<IReadOnlyList<SpanInsertResult>> AddAsync(SpanRequest request, CancellationToken ct)
    {
        var item = new Waiting(request, ct);
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(stopping, this);
            if (waiting > 0 && waiting + request.Spans.Count > capacity)
                throw new OverloadedException(TimeSpan.FromSeconds(1));
            waiting += request.Spans.Count;
            queue.Enqueue(item);
        }
        arrived.Release();
        return await item.Answer.Task.ConfigureAwait(false);
    }

    /// <summary>Writes what waits, then ends.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (gate)
            stopping = true;
        arrived.Release(Lanes);
        await Task.WhenAll(lanes).ConfigureAwait(false);
        arrived.Dispose();
    }

    async Task LoopAsync()
    {
        while (true)
        {
            await arrived.WaitAsync().ConfigureAwait(false);
            var group = Take(out var ended);
            if (group.Count > 0)
                await WriteAsync(group).ConfigureAwait(false);
            else if (ended)
                return;
        }
    }

    List<Waiting> Take(out bool ended)
    {
        var group = new List<Waiting>();
        lock (gate)
        {
            var weight = 0;
            while (queue.TryPeek(out var next) && (group.Count == 0 || weight + next.Request.Spans.Count <= GroupWeight))
            {
                weight += next.Request.Spans.Count;
                group.Add(queue.Dequeue());
            }
            waiting -= weight;
            ended = stopping;
            for (var i = 1; i < group.Count; i++)
                arrived.Wait(0);
            // Whoever ends must pass here once more and find the queue empty.
            if (stopping && group.Count > 0)
                arrived.Release();
        }
        group.RemoveAll(item => item.Canceled.IsCancellationRequested && item.Answer.TrySetCanceled(item.Canceled));
        return group;
    }

    async Task WriteAsync(List<Waiting> group)
    {
        try
        {
            var fates = await store([.. group.Select(item => item.Request)]).ConfigureAwait(false);
            for (var i = 0; i < group.Count; i++)
                group[i].Answer.TrySetResult(fates[i]);
        }
        catch (Exception fault)
        {
            if (group.Count == 1)
                group[0].Answer.TrySetException(fault);
            else
                // One of them is at fault: alone, the others succeed.
                foreach (var item in group)
                    await WriteAsync([item]).ConfigureAwait(false);
        }
    }

    sealed record Waiting(SpanRequest Request, CancellationToken Canceled)
    {
        public TaskCompletionSource<IReadOnlyList<SpanInsertResult>> Answer { get; } = new(
            TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
