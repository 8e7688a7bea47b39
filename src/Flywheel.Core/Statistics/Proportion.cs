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
}
