using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Flywheel.TestServer;

/// <summary>Waits for what other threads or processes do, long enough for a busy machine.</summary>
public static class Eventually
{
    /// <summary>Far beyond what any wait of the tests takes: only what is stuck reaches it.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromMinutes(3);

    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <exception cref="TimeoutException">The condition did not become true.</exception>
    public static async Task IsAsync(
        Func<Task<bool>> condition, CancellationToken ct, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        for (var start = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(Step, ct))
            if (Stopwatch.GetElapsedTime(start) > Limit)
                throw new TimeoutException($"It did not happen within {Limit}: {what}");
    }

    /// <exception cref="TimeoutException">The condition did not become true.</exception>
    public static Task IsAsync(
        Func<bool> condition, CancellationToken ct, [CallerArgumentExpression(nameof(condition))] string what = "") =>
        IsAsync(() => Task.FromResult(condition()), ct, what);
}
