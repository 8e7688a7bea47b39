namespace Flywheel.Client.Recording;

/// <summary>Pauses between tries: doubling, with jitter so that a thousand clients do not come back as one.</summary>
internal sealed class BackOff(TimeSpan first, TimeSpan longest, Random random)
{
    /// <summary>A server that asks for more than this is misconfigured, and spans in memory do not keep that long.</summary>
    static readonly TimeSpan LongestTold = TimeSpan.FromMinutes(5);

    /// <param name="failures">Failed tries before this one, 0 or more.</param>
    /// <returns>Between 75 % and 125 % of the doubled pause, which stops growing at the longest.</returns>
    public TimeSpan Next(int failures)
    {
        var pause = Math.Min(first.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 30)), longest.TotalMilliseconds);
#pragma warning disable CA5394 // Spreading load needs no secret.
        return TimeSpan.FromMilliseconds(pause * (0.75 + 0.5 * random.NextDouble()));
#pragma warning restore CA5394
    }

    /// <summary>The pause that a Retry-After asks for, with no jitter below it.</summary>
    public static TimeSpan Told(TimeSpan retryAfter) =>
        retryAfter < TimeSpan.Zero ? TimeSpan.Zero : retryAfter > LongestTold ? LongestTold : retryAfter;
}
