namespace Flywheel.Core.Statistics;

/// <summary>The Beta distribution: its share below a point, its quantiles, draws from it.</summary>
/// <remarks>
/// Own code so that Core, and with it the client package, needs no numerical library; MathNet.Numerics is the oracle in the tests
/// (docs/decisions/0006-statistics.md). Good to about 1e-12 for shapes from 1e-3 to 1e7.
/// </remarks>
public static class BetaDistribution
{
    /// <summary>P(X &lt;= x), the regularised incomplete beta function.</summary>
    /// <remarks>Continued fraction after DiDonato and Morris (1992), evaluated by Lentz's method on the side where it converges
    /// fast.</remarks>
    public static double Cdf(double a, double b, double x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(a);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(b);
        if (double.IsNaN(x))
            throw new ArgumentOutOfRangeException(nameof(x), "x is not a number.");
        if (x <= 0)
            return 0;
        if (x >= 1)
            return 1;
        var front = Math.Exp(a * Math.Log(x) + b * double.LogP1(-x) + LogGamma(a + b) - LogGamma(a) - LogGamma(b));
        return x < (a + 1) / (a + b + 2) ? front * Fraction(a, b, x) / a : 1 - front * Fraction(b, a, 1 - x) / b;
    }

    /// <summary>The x with <see cref="Cdf"/> = <paramref name="probability"/>.</summary>
    /// <param name="probability">From 0 to 1; 0 gives 0 and 1 gives 1.</param>
    public static double Quantile(double a, double b, double probability)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(probability, 1);
        double low = 0, high = 1;
        if (probability is 0 or 1)
            return probability;
        // Bisection cannot be led astray by a density that is infinite at an end; it stops when neighbours touch.
        while (true)
        {
            var middle = (low + high) / 2;
            if (middle <= low || middle >= high || high - low < 1e-15 * middle)
                return middle;
            if (Cdf(a, b, middle) < probability)
                low = middle;
            else
                high = middle;
        }
    }

    /// <summary>A draw, as the share of one Gamma draw in the sum of two.</summary>
    public static double Sample(Random random, double a, double b)
    {
        var x = Gamma(random, a);
        var y = Gamma(random, b);
        return x + y > 0 ? x / (x + y) : random.NextDouble() < a / (a + b) ? 1 : 0;
    }

    /// <summary>A Gamma draw of scale 1.</summary>
    /// <remarks>Marsaglia and Tsang, ACM TOMS 2000; shapes below 1 by their boost.</remarks>
    public static double Gamma(Random random, double shape)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(shape);
        if (shape < 1)
            return Gamma(random, shape + 1) * Math.Pow(1 - random.NextDouble(), 1 / shape);
        var d = shape - 1.0 / 3;
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var x = NormalDistribution.Sample(random);
            var v = 1 + c * x;
            if (v <= 0)
                continue;
            v = v * v * v;
            var u = 1 - random.NextDouble();
            if (u < 1 - 0.0331 * x * x * x * x || Math.Log(u) < x * x / 2 + d * (1 - v + Math.Log(v)))
                return d * v;
        }
    }

    /// <summary>Logarithm of the Gamma function for x &gt; 0.</summary>
    /// <remarks>Stirling's series with the Bernoulli terms up to x^-15, after stepping up to x of at least 10.</remarks>
    public static double LogGamma(double x)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(x);
        double step = 1;
        while (x < 10)
            step *= x++;
        var z = 1 / (x * x);
        var series = 1.0 / 12
            - z * (1.0 / 360 - z * (
                1.0 / 1260 - z * (1.0 / 1680 - z * (1.0 / 1188 - z * (691.0 / 360360 - z * (1.0 / 156 - z * 3617.0 / 122400))))));
        return (x - 0.5) * Math.Log(x) - x + 0.5 * Math.Log(2 * Math.PI) + series / x - Math.Log(step);
    }

    static double Fraction(double a, double b, double x)
    {
        const double Tiny = 1e-300;
        double c = 1, d = 1 - (a + b) * x / (a + 1);
        d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
        var value = d;
        for (var m = 1; m <= 10_000; m++)
        {
            var even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
            Step(even);
            var odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
            if (Math.Abs(Step(odd) - 1) < 1e-15)
                break;
        }
        return value;

        double Step(double term)
        {
            d = 1 + term * d;
            d = 1 / (Math.Abs(d) < Tiny ? Tiny : d);
            c = 1 + term / c;
            c = Math.Abs(c) < Tiny ? Tiny : c;
            value *= c * d;
            return c * d;
        }
    }
}
