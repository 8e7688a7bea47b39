namespace Flywheel.Core.Statistics;

/// <summary>An estimate with its 95 % interval.</summary>
/// <param name="Value">Null when it is not defined: nothing to divide by.</param>
/// <param name="N">Cases behind it.</param>
/// <param name="Method"><c>wilson-95</c> for shares, <c>bootstrap-95</c> for what is no share.</param>
public sealed record Interval(double? Value, double Low, double High, long N, string Method)
{
    /// <summary>A share of successes with its Wilson interval.</summary>
    public static Interval Share(long successes, long trials)
    {
        var (low, high) = Proportion.Wilson(successes, trials);
        return new(trials == 0 ? null : (double)successes / trials, low, high, trials, "wilson-95");
    }
}
