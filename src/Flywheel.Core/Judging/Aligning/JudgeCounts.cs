using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>A judge's answers against blind labels.</summary>
/// <param name="UndecidedPass">Texts that people passed and of which the judge said neither pass nor fail.</param>
public sealed record JudgeCounts(int PassPass, int PassFail, int FailPass, int FailFail, int UndecidedPass, int UndecidedFail)
{
    /// <summary>Points at which one of the two distributions is looked at; more change the fourth digit.</summary>
    const int Points = 100;

    /// <param name="answers">The judge's word, the person's.</param>
    public static JudgeCounts Of(IEnumerable<(Outcome Judge, bool Passed)> answers)
    {
        var counts = answers.CountBy(each => each).ToDictionary();
        int Count(Outcome judge, bool passed) => counts.GetValueOrDefault((judge, passed));
        int Other(bool passed) => counts.Where(each => each.Key.Passed == passed && each.Key.Judge is not (Outcome.Pass or Outcome.Fail)).Sum(each => each.Value);
        return new(
            Count(Outcome.Pass, true), Count(Outcome.Pass, false), Count(Outcome.Fail, true), Count(Outcome.Fail, false), Other(true), Other(false));
    }

    [System.Text.Json.Serialization.JsonIgnore]
    public int Passes => PassPass + FailPass + UndecidedPass;

    [System.Text.Json.Serialization.JsonIgnore]
    public int Fails => PassFail + FailFail + UndecidedFail;

    /// <summary>Mean of the shares of people's passes and of people's fails that the judge hit; one half for a class without labels.</summary>
    /// <remarks>What is undecided is wrong.</remarks>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Balanced => (Share(PassPass, Passes) + Share(FailFail, Fails)) / 2;

    /// <summary>A quantile of balanced accuracy, both shares being Beta distributed around what was seen (Jeffreys).</summary>
    /// <remarks>Few labels of the rarer class pull it down: of two equal judges the better known one is ahead.</remarks>
    public double BalancedQuantile(double probability)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(probability, 1);
        var passes = new double[Points];
        for (var i = 0; i < Points; i++)
            passes[i] = BetaDistribution.Quantile(PassPass + 0.5, Passes - PassPass + 0.5, (i + 0.5) / Points);
        double low = 0, high = 1;
        while (high - low > 1e-6)
        {
            var middle = (low + high) / 2;
            var below = passes.Average(pass => BetaDistribution.Cdf(FailFail + 0.5, Fails - FailFail + 0.5, 2 * middle - pass));
            if (below < probability)
                low = middle;
            else
                high = middle;
        }
        return (low + high) / 2;
    }

    static double Share(int hits, int all) => all == 0 ? 0.5 : (double)hits / all;
}
