namespace Flywheel.Storage;

/// <summary>Times as both databases keep them: microseconds since 1970 UTC.</summary>
internal static class Timestamps
{
    const long TicksPerMicrosecond = TimeSpan.TicksPerMicrosecond;

    public static long Micros(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TicksPerMicrosecond;

    public static long Micros(TimeSpan length) => length.Ticks / TicksPerMicrosecond;

    public static DateTimeOffset At(long micros) => new(DateTimeOffset.UnixEpoch.Ticks + micros * TicksPerMicrosecond, TimeSpan.Zero);

    /// <summary>Midnight of the UTC day.</summary>
    public static long Day(DateTimeOffset at) => Micros(new DateTimeOffset(at.UtcDateTime.Date, TimeSpan.Zero));
}
