namespace Flywheel.Engine.Jobs;

/// <summary>When a failed job runs again: exponential back-off with full jitter.</summary>
/// <remarks>
/// Full jitter (Brooker, AWS Architecture Blog 2015): a uniform draw from zero to the ceiling, so that jobs that failed together do not
/// come back together. Ceilings with the defaults: 5 s, 20 s, 80 s, 320 s.
/// </remarks>
/// <param name="First">Ceiling after the first failure.</param>
/// <param name="Factor">Of one ceiling to the next.</param>
/// <param name="Longest">No ceiling is higher, and no longer wait that the other side asks for is believed.</param>
public sealed record RetrySchedule(TimeSpan First, double Factor, TimeSpan Longest)
{
    public static RetrySchedule Default { get; } = new(TimeSpan.FromSeconds(5), 4, TimeSpan.FromMinutes(15));

    /// <param name="failures">How often the job has failed, from 1.</param>
    /// <param name="retryAfter">The wait that the other side asked for: never cut short, jitter comes on top.</param>
    /// <param name="draw">Uniform in [0, 1).</param>
    public TimeSpan Delay(int failures, TimeSpan? retryAfter, double draw)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        var ceiling = Math.Min(First.TotalSeconds * Math.Pow(Factor, failures - 1), Longest.TotalSeconds);
        if (retryAfter is not { } asked || asked <= TimeSpan.Zero)
            return TimeSpan.FromSeconds(ceiling * draw);
        return (asked < Longest ? asked : Longest) + TimeSpan.FromSeconds(First.TotalSeconds * draw);
    }
}
