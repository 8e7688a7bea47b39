using Flywheel.Core.Jobs;

namespace Flywheel.Engine.Jobs;

/// <summary>Whether work that waits is being done: a worker that is alive but stuck must not look ready.</summary>
public sealed class WorkerHealth(TimeProvider clock)
{
    public static readonly TimeSpan StalledAfter = TimeSpan.FromSeconds(60);

    readonly Lock _lock = new();
    DateTimeOffset _progress = clock.GetUtcNow();
    DateTimeOffset _pausedUntil;
    long _faults;

    /// <summary>When something was last paired, ended or folded; at first, when the worker was made.</summary>
    public DateTimeOffset LastProgress
    {
        get { lock (_lock) return _progress; }
    }

    /// <summary>Turns that failed as a whole.</summary>
    public long Faults => Interlocked.Read(ref _faults);

    internal void Progress()
    {
        lock (_lock)
            _progress = clock.GetUtcNow();
    }

    /// <summary>A provider asked to wait: until then nothing is wrong when nothing moves.</summary>
    internal void Pause(DateTimeOffset until)
    {
        lock (_lock)
            _pausedUntil = until > _pausedUntil ? until : _pausedUntil;
    }

    internal void Fault() => Interlocked.Increment(ref _faults);

    /// <returns>Null when all is well; otherwise what is wrong, in words.</returns>
    public string? Trouble(JobCounts counts)
    {
        if (counts.Waiting == 0 && counts.PendingSpans == 0)
            return null;
        var now = clock.GetUtcNow();
        DateTimeOffset since;
        lock (_lock)
            since = _progress > _pausedUntil ? _progress : _pausedUntil;
        if (counts.OldestWaiting is { } oldest && oldest > since)
            since = oldest;
        return now - since <= StalledAfter
            ? null
            : $"{counts.Waiting} jobs and {counts.PendingSpans} spans wait, and nothing has moved for {(now - since).TotalSeconds:0} s";
    }
}
