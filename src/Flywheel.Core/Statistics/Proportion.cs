namespace Flywheel.Core.Statistics;

/// <summary>Intervals for a share of successes.</summary>
public static class Proportion
{
    /// <summary>Wilson score interval for a pass rate.</summary>
    /// <remarks>Wilson, JASA 1927. Stays inside [0, 1], and keeps a width at 0 and n.</remarks>
    /// <param name="trials">0 gives (0, 1): nothing is known yet.</param>
    /// <param name="z">Normal quantile; 1.96 for 95 %.</param>
    public static (double Low, double High) Wilson(long successes, long trials, double z = 1.96) => Wilson((double)successes, trials, z);

    /// <inheritdoc cref="Wilson(long, long, double)"/>
    /// <remarks>For the effective numbers of a weighted sample.</remarks>
    public static (double Low, double High) Wilson(double successes, double trials, double z = 1.96)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(successes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, trials);
        if (trials == 0)
            return (0, 1);

        double n = trials, p = successes / n, zz = z * z;
        var centre = (p + zz / (2 * n)) / (1 + zz / n);
        var margin = z / (1 + zz / n) * Math.Sqrt(p * (1 - p) / n + zz / (4 * n * n));
        return (Math.Max(0, centre - margin), Math.Min(1, centre + margin));
    }

    /// <summary>Interval of p1 - p2 for two independent shares.</summary>
    /// <remarks>Newcombe, Statistics in Medicine 1998, method 10: the Wilson limits of both, put together. Stays inside [-1, 1].</remarks>
    /// <param name="firstTrials">0 of either gives (-1, 1).</param>
    /// <param name="z">Normal quantile; 1.96 for 95 %.</param>
    public static (double Low, double High) Difference(long first, long firstTrials, long second, long secondTrials, double z = 1.96)
    {
        var (low1, high1) = Wilson(first, firstTrials, z);
        var (low2, high2) = Wilson(second, secondTrials, z);
        if (firstTrials == 0 || secondTrials == 0)
            return (-1, 1);

        double p1 = (double)first / firstTrials, p2 = (double)second / secondTrials;
        return (
            p1 - p2 - Math.Sqrt((p1 - low1) * (p1 - low1) + (high2 - p2) * (high2 - p2)),
            p1 - p2 + Math.Sqrt((high1 - p1) * (high1 - p1) + (p2 - low2) * (p2 - low2)));
    }
}
