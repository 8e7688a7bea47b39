namespace Flywheel.Engine.Models;

/// <summary>
/// Lets calls of one model start at an even pace, never more than the limit in any second, and holds all of them when asked to.
/// </summary>
/// <remarks>
/// Two rules at once. Starts are spread evenly, and a start that came late may be made up for; but no window of a second and a guard
/// holds more starts than the limit, since what leaves evenly may arrive unevenly. The guard costs 2.4 % of the rate. Above ten calls a
/// second, the first two seconds begin at a quarter of the pace and make up for nothing: a young process compiles and connects while it
/// calls, and what it starts evenly would arrive in a heap, perhaps beside the last calls of the process that it replaces. Thread-safe.
/// </remarks>
public sealed class Pace
{
    /// <summary>How much later than another a call may arrive that left with it.</summary>
    static readonly TimeSpan Guard = TimeSpan.FromMilliseconds(25);

    /// <summary>Lateness that may be made up for.</summary>
    static readonly TimeSpan CatchUp = TimeSpan.FromMilliseconds(500);

    static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>How long after its first call a process is young, and its share of the pace at that call.</summary>
    static readonly TimeSpan Youth = TimeSpan.FromSeconds(2);
    const double FirstShare = 0.25;

    readonly TimeProvider _clock;
    readonly Lock _lock = new();
    readonly TimeSpan _interval;
    readonly TimeSpan _window;
    readonly Queue<long> _starts = new();
    readonly int _most;
    long? _first;
    long _next;
    long _held;

    /// <param name="perSecond">Calls in a second, a fraction above 1 rounded down; below one, one call in 1/perSecond seconds. Null for no
    /// limit.</param>
    public Pace(double? perSecond, TimeProvider clock)
    {
        if (perSecond is { } rate && !(rate > 0 && double.IsFinite(rate)))
            throw new ArgumentOutOfRangeException(nameof(perSecond), perSecond, "must be above 0");
        (_clock, PerSecond) = (clock, perSecond);
        if (perSecond is not { } limit)
            return;
        // In no second may there be more than 2 calls under a limit of 2.5.
        _most = Math.Max(1, (int)Math.Floor(limit));
        _window = Second * Math.Max(1, 1 / limit) + Guard;
        _interval = _window / _most;
        _next = _held = clock.GetTimestamp();
    }

    public double? PerSecond { get; }

    /// <summary>Waits until a call may start.</summary>
    public async Task WaitAsync(CancellationToken ct)
    {
        while (true)
        {
            ct.ThrowIfCancellationRequested();
            if (Take() is not { } wait)
                return;
            await Task.Delay(wait, _clock, ct);
        }
    }

    /// <summary>Nobody starts a call for so long: the provider asked for it.</summary>
    public void Hold(TimeSpan length)
    {
        lock (_lock)
            _held = Math.Max(_held, _clock.GetTimestamp() + Ticks(length));
    }

    /// <returns>Null when the call may start now; otherwise how long to wait before asking again.</returns>
    TimeSpan? Take()
    {
        lock (_lock)
        {
            var now = _clock.GetTimestamp();
            if (now < _held)
                return Span(_held - now);
            if (PerSecond is null)
                return null;
            while (_starts.Count > 0 && now - _starts.Peek() >= Ticks(_window))
                _starts.Dequeue();
            if (_starts.Count >= _most)
                return Span(_starts.Peek() + Ticks(_window) - now);
            if (now < _next)
                return Span(_next - now);
            _first ??= now;
            var age = (double)(now - _first.Value) / Ticks(Youth);
            _next = age < 1 && _interval < Youth / 20
                ? now + Ticks(_interval / (FirstShare + (1 - FirstShare) * age))
                : Math.Max(_next, now - Ticks(CatchUp)) + Ticks(_interval);
            _starts.Enqueue(now);
            return null;
        }
    }

    long Ticks(TimeSpan span) => (long)(span.TotalSeconds * _clock.TimestampFrequency);

    /// <summary>At least a millisecond: timers are no finer, and asking too early costs a turn.</summary>
    TimeSpan Span(long ticks) => TimeSpan.FromSeconds(Math.Max(0.001, (double)ticks / _clock.TimestampFrequency));
}
