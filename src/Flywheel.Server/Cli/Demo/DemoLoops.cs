using System.Diagnostics;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;

namespace Flywheel.Server.Cli.Demo;

/// <summary>Times retrieval on its way through.</summary>
sealed class TimedLoop(ILoop inner) : ILoop
{
    readonly List<double> _milliseconds = [];

    /// <summary>Median since the last time this was asked for; 0 when nothing was retrieved.</summary>
    public double TakeMedian()
    {
        lock (_milliseconds)
        {
            if (_milliseconds.Count == 0)
                return 0;
            _milliseconds.Sort();
            var median = _milliseconds[_milliseconds.Count / 2];
            _milliseconds.Clear();
            return median;
        }
    }

    public async Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var chosen = await inner.DemonstrateAsync(query, ct);
        lock (_milliseconds)
            _milliseconds.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        return chosen;
    }

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => inner.GuardAsync(query, ct);

    public Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct) => inner.RecordAsync(spans, ct);
}

/// <summary>Gives demonstrations and records nothing: for inputs that the loop must never learn from.</summary>
sealed class SilentLoop(ILoop inner) : ILoop
{
    public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct) =>
        inner.DemonstrateAsync(query, ct);

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => inner.GuardAsync(query, ct);

    public Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct) => Task.CompletedTask;
}
