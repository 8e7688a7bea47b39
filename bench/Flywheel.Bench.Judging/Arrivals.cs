namespace Flywheel.Bench.Judging;

/// <summary>When calls arrived at the provider.</summary>
static class Arrivals
{
    /// <summary>The most calls in any second, wherever it begins.</summary>
    /// <param name="times">In order.</param>
    public static int Busiest(IReadOnlyList<DateTimeOffset> times, out DateTimeOffset from)
    {
        var (most, first) = (0, 0);
        from = times.Count > 0 ? times[0] : default;
        for (var last = 0; last < times.Count; last++)
        {
            while (times[last] - times[first] >= TimeSpan.FromSeconds(1))
                first++;
            if (last - first + 1 > most)
                (most, from) = (last - first + 1, times[first]);
        }
        return most;
    }

    /// <summary>Calls a second, from the first call of a stretch to its last, pauses longer than a second left out.</summary>
    public static double Rate(IReadOnlyList<DateTimeOffset> times)
    {
        var busy = TimeSpan.Zero;
        for (var i = 1; i < times.Count; i++)
            if (times[i] - times[i - 1] < TimeSpan.FromSeconds(1))
                busy += times[i] - times[i - 1];
        return busy == TimeSpan.Zero ? 0 : (times.Count - 1) / busy.TotalSeconds;
    }
}
