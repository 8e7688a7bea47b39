namespace Flywheel.Core.Statistics;

/// <summary>Two pass rates over the same rows.</summary>
/// <param name="OnlyFirst">Rows that the first passed and the second failed; likewise <paramref name="OnlySecond"/>.</param>
/// <param name="Difference">Second minus first, in shares of the rows that both decided.</param>
/// <param name="PValue">Of McNemar's exact test: how often chance alone would flip rows at least so unevenly. 1 when none flipped.</param>
public sealed record PairedDifference(long BothPass, long OnlyFirst, long OnlySecond, long BothFail, Interval Difference, double PValue)
{
    const double Z = 1.959963984540054;

    public static PairedDifference Of(long bothPass, long onlyFirst, long onlySecond, long bothFail)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bothPass);
        ArgumentOutOfRangeException.ThrowIfNegative(onlyFirst);
        ArgumentOutOfRangeException.ThrowIfNegative(onlySecond);
        ArgumentOutOfRangeException.ThrowIfNegative(bothFail);
        return new(bothPass, onlyFirst, onlySecond, bothFail, Interval(onlyFirst, onlySecond, bothPass + onlyFirst + onlySecond + bothFail),
            McNemar(onlyFirst, onlySecond));
    }

    /// <remarks>
    /// Agresti and Min, Statistics in Medicine 2005: the large-sample interval after half a row more in each of the four cells. Close
    /// to 95 % from few rows on, and it keeps a width when no row flipped.
    /// </remarks>
    static Interval Interval(long onlyFirst, long onlySecond, long rows)
    {
        if (rows == 0)
            return new(null, -1, 1, 0, "agresti-min-95");
        double n = rows + 2, shift = onlySecond - onlyFirst, flips = onlyFirst + onlySecond + 1;
        var (centre, margin) = (shift / n, Z * Math.Sqrt(flips - shift * shift / n) / n);
        return new((double)(onlySecond - onlyFirst) / rows, Math.Max(-1, centre - margin), Math.Min(1, centre + margin), rows,
            "agresti-min-95");
    }

    /// <remarks>McNemar, Psychometrika 1947; exact: flips are fair coins under the hypothesis. Two-sided, twice the smaller tail.</remarks>
    static double McNemar(long onlyFirst, long onlySecond)
    {
        var (fewer, flips) = (Math.Min(onlyFirst, onlySecond), onlyFirst + onlySecond);
        var (term, tail) = (-flips * Math.Log(2), 0.0);
        for (long i = 0; i <= fewer; i++)
        {
            tail += Math.Exp(term);
            term += Math.Log((double)(flips - i) / (i + 1));
        }
        return Math.Min(1, 2 * tail);
    }
}
