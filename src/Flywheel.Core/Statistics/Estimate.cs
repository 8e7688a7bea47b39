namespace Flywheel.Core.Statistics;

/// <summary>A number with its 95 % interval.</summary>
/// <param name="Median">The middle of the posterior, or the estimate itself where a method has no posterior.</param>
public readonly record struct Estimate(double Median, double Low, double High)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public double Width => High - Low;

    /// <summary>The middle and the 2.5 % and 97.5 % quantiles of draws, which are sorted in place.</summary>
    public static Estimate OfDraws(Span<double> draws)
    {
        draws.Sort();
        return new Estimate(Quantile(draws, 0.5), Quantile(draws, 0.025), Quantile(draws, 0.975));
    }

    /// <summary>A Wilson interval around a share; nothing tried gives (0, 1) around one half.</summary>
    public static Estimate Wilson(long successes, long trials)
    {
        var (low, high) = Proportion.Wilson(successes, trials);
        return new Estimate(trials == 0 ? 0.5 : (double)successes / trials, low, high);
    }

    /// <summary>The quantile of sorted numbers, linear between neighbours.</summary>
    public static double Quantile(ReadOnlySpan<double> sorted, double share)
    {
        if (sorted.IsEmpty)
            throw new ArgumentException("There are no numbers to take a quantile of.", nameof(sorted));
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        return below + 1 == sorted.Length ? sorted[below] : sorted[below] + (at - below) * (sorted[below + 1] - sorted[below]);
    }
}
