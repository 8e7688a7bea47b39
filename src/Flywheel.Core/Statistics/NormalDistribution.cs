namespace Flywheel.Core.Statistics;

/// <summary>The standard normal distribution.</summary>
public static class NormalDistribution
{
    /// <summary>P(Z &lt;= z), to about 1e-15.</summary>
    /// <remarks>Marsaglia's Taylor series (J. Stat. Software 2004) near 0, the continued fraction of the tail beyond 6.</remarks>
    public static double Cdf(double z)
    {
        if (double.IsNaN(z))
            throw new ArgumentOutOfRangeException(nameof(z), "z is not a number.");
        if (Math.Abs(z) > 6)
        {
            var x = Math.Abs(z);
            var fraction = x;
            for (var k = 60; k >= 1; k--)
                fraction = x + k / fraction;
            var tail = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI) / fraction;
            return z < 0 ? tail : 1 - tail;
        }
        double sum = z, term = z;
        for (var k = 3; Math.Abs(term) > 1e-17 * Math.Abs(sum); k += 2)
            sum += term *= z * z / k;
        return 0.5 + sum * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);
    }

    /// <summary>The z with <see cref="Cdf"/> = <paramref name="probability"/>; infinite at 0 and 1.</summary>
    public static double Quantile(double probability)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        if (probability == 0)
            return double.NegativeInfinity;
        if (probability == 1)
            return double.PositiveInfinity;
        // Below one half, where small probabilities keep their digits.
        if (probability > 0.5)
            return -Quantile(1 - probability);
        double low = -40, high = 0;
        while (high - low > 1e-15 * Math.Max(1, -low))
        {
            var middle = (low + high) / 2;
            if (middle <= low || middle >= high)
                break;
            if (Cdf(middle) < probability)
                low = middle;
            else
                high = middle;
        }
        return (low + high) / 2;
    }

    /// <summary>A draw, by Marsaglia's polar method; the second draw of a pair is not kept, so that callers share no state.</summary>
    public static double Sample(Random random)
    {
        while (true)
        {
            var x = 2 * random.NextDouble() - 1;
            var y = 2 * random.NextDouble() - 1;
            var r = x * x + y * y;
            if (r is > 0 and < 1)
                return x * Math.Sqrt(-2 * Math.Log(r) / r);
        }
    }
}
