namespace Flywheel.Core.Statistics;

/// <summary>Did two answers to the same questions differ more often one way than the other?</summary>
/// <remarks>McNemar, Psychometrika 1947, in its exact form: of the pairs that differ, each way is a fair coin if nothing changed.</remarks>
public static class McNemar
{
    /// <summary>Two-sided exact p-value; 1 when no pair differs.</summary>
    /// <param name="oneWay">Pairs that were yes and are no.</param>
    /// <param name="otherWay">Pairs that were no and are yes.</param>
    public static double ExactP(int oneWay, int otherWay)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(oneWay);
        ArgumentOutOfRangeException.ThrowIfNegative(otherWay);
        return Math.Min(1, 2 * AtLeast(Math.Max(oneWay, otherWay), Math.Min(oneWay, otherWay)));
    }

    /// <summary>Probability that a fair coin shows at least <paramref name="heads"/> heads in heads + tails throws.</summary>
    /// <param name="heads">Need not be whole: weighted pairs give an effective number.</param>
    public static double AtLeast(double heads, double tails)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(heads);
        ArgumentOutOfRangeException.ThrowIfNegative(tails);
        // The binomial tail as a share of the Beta distribution.
        return heads == 0 ? 1 : BetaDistribution.Cdf(heads, tails + 1, 0.5);
    }
}
