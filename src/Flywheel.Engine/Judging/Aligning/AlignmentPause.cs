namespace Flywheel.Engine.Judging.Aligning;

/// <summary>A search cannot go on for now.</summary>
sealed class AlignmentPause(string why, DateTimeOffset until, bool isFault) : Exception(why)
{
    /// <summary>Turns that may end in a fault.</summary>
    public const int MostFaults = 5;

    public DateTimeOffset Until { get; } = until;
    public bool IsFault { get; } = isFault;

    public static TimeSpan After(int faults) => TimeSpan.FromMinutes(Math.Min(60, 1 << Math.Min(faults, 6)));
}
