using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Observability;

namespace Flywheel.Engine.Jobs;

/// <summary>Records ends, whatever came in while the last transaction ran in the next one.</summary>
/// <param name="onFault">Told of an end that could not be recorded while others were; its job comes back when the lease runs out.</param>
sealed class JobEnds(IJobStore jobs, TimeProvider clock, Action<Exception> onFault)
{
    /// <summary>Ends in a row that cannot be recorded alone before the database, not the end, is to blame.</summary>
    const int Suspicion = 3;

    readonly Lock _lock = new();
    List<Waiting> _queue = [];
    bool _isFlushing;

    /// <returns>False when the lease was lost and nothing was recorded.</returns>
    public async Task<bool> RecordAsync(JobEnd end, CancellationToken ct)
    {
        var mine = new Waiting(end, new(TaskCreationOptions.RunContinuationsAsynchronously));
        var isFlusher = false;
        lock (_lock)
        {
            _queue.Add(mine);
            if (!_isFlushing)
                isFlusher = _isFlushing = true;
        }
        while (isFlusher && Take() is { } batch)
            await FlushAsync(batch, ct);
        return await mine.Recorded.Task;
    }

    /// <summary>What has come in; null hands the flusher's part to whoever comes next.</summary>
    List<Waiting>? Take()
    {
        lock (_lock)
        {
            if (_queue.Count == 0)
            {
                _isFlushing = false;
                return null;
            }
            var batch = _queue;
            _queue = [];
            return batch;
        }
    }

    /// <summary>All in one transaction; when that fails, each by itself, so that one bad end does not hold up the others.</summary>
    /// <returns>True an end that was recorded, in the order given.</returns>
    public async Task<IReadOnlyList<bool>> RecordAsync(IReadOnlyList<JobEnd> ends, CancellationToken ct)
    {
        try
        {
            var recorded = await jobs.EndAsync(ends, clock.GetUtcNow(), ct);
            for (var i = 0; i < ends.Count; i++)
                Count(ends[i], recorded[i]);
            return recorded;
        }
        catch (Exception) when (ends.Count > 1 && !ct.IsCancellationRequested)
        {
            return await RecordOneByOneAsync(ends, ct);
        }
    }

    async Task<bool[]> RecordOneByOneAsync(IReadOnlyList<JobEnd> ends, CancellationToken ct)
    {
        var recorded = new bool[ends.Count];
        for (int i = 0, failed = 0; i < ends.Count; i++)
            try
            {
                recorded[i] = (await jobs.EndAsync([ends[i]], clock.GetUtcNow(), ct))[0];
                Count(ends[i], recorded[i]);
                failed = 0;
            }
            catch (Exception error) when (!ct.IsCancellationRequested && ++failed < Suspicion)
            {
                onFault(error);
            }
        return recorded;
    }

    static void Count(JobEnd end, bool isRecorded)
    {
        var verdict = end switch
        {
            JobEnd.Done done => done.Verdict,
            JobEnd.Dead dead => dead.Verdict,
            _ => null,
        };
        if (isRecorded && verdict is not null)
            FlywheelMeter.Verdicts.Add(
                1, new(FlywheelMeter.Outcome, Wire.Name(verdict.Finding.Outcome)), new("flywheel.lane", Wire.Name(end.Job.Lane)));
    }

    async Task FlushAsync(List<Waiting> batch, CancellationToken ct)
    {
        try
        {
            var recorded = await RecordAsync([.. batch.Select(waiting => waiting.End)], ct);
            for (var i = 0; i < batch.Count; i++)
                batch[i].Recorded.TrySetResult(recorded[i]);
        }
        catch (Exception error)
        {
            foreach (var waiting in batch)
                waiting.Recorded.TrySetException(error);
        }
    }

    sealed record Waiting(JobEnd End, TaskCompletionSource<bool> Recorded);
}
