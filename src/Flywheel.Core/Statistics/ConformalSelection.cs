namespace Flywheel.Core.Statistics;

/// <summary>Which of many texts to call strange at once, so that few of those called are ordinary.</summary>
public static class ConformalSelection
{
    /// <summary>
    /// Benjamini and Hochberg's step-up rule, 1995: the expected share of false ones among those selected is at most the rate.
    /// </summary>
    /// <remarks>It also holds for conformal p-values that share one calibration set (Bates et al., 2023).</remarks>
    /// <param name="pValues">In [0, 1]; none gives none.</param>
    /// <param name="falseDiscoveries">Nominal rate, in (0, 1).</param>
    /// <returns>True at the places of the selected p-values.</returns>
    public static bool[] BenjaminiHochberg(IReadOnlyList<double> pValues, double falseDiscoveries)
    {
        ArgumentNullException.ThrowIfNull(pValues);
        if (falseDiscoveries is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(
                nameof(falseDiscoveries), falseDiscoveries, "A false-discovery rate lies between 0 and 1.");

        var sorted = pValues.Order().ToArray();
        if (sorted.Length > 0 && !(sorted[0] >= 0 && sorted[^1] <= 1))
            throw new ArgumentOutOfRangeException(nameof(pValues), "A p-value lies between 0 and 1.");
        var cut = -1.0;
        for (var i = 0; i < sorted.Length; i++)
            if (sorted[i] <= falseDiscoveries * (i + 1) / sorted.Length)
                cut = sorted[i];
        return [.. pValues.Select(p => p <= cut)];
    }
}
