using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>A judge's answers against blind labels.</summary>
/// <param name="UndecidedPass">Texts that people passed and of which the judge said neither pass nor fail.</param>
public sealed record JudgeCounts(int PassPass, int PassFail, int FailPass, int FailFail, int UndecidedPass, int UndecidedFail)
{
    const int Bins = 256;

    /// <param name="answers">The judge's word, the person's.</param>
    public static JudgeCounts Of(IEnumerable<(Outcome Judge, bool Passed)> answers)
    {
        var counts = answers.CountBy(each => each).ToDictionary();
        int Count(Outcome judge, bool passed) => counts.GetValueOrDefault((judge, passed));
        int Other(bool passed) =>
            counts.Where(each => each.Key.Passed == passed && each.Key.Judge is not (Outcome.Pass or Outcome.Fail)).Sum(each => each.Value);
        return new(
            Count(Outcome.Pass, true), Count(Outcome.Pass, false), Count(Outcome.Fail, true), Count(Outcome.Fail, false), Other(true),
            Other(false));
    }

    [System.Text.Json.Serialization.JsonIgnore]
    public int Passes => PassPass + FailPass + UndecidedPass;

    [System.Text.Json.Serialization.JsonIgnore]
    public int Fails => PassFail + FailFail + UndecidedFail;

    /// <summary>
    /// Mean of the shares of people's passes and of people's fails that the judge hit; one half for a class without labels.
    /// </summary>
    /// <remarks>What is undecided is wrong.</remarks>
    [System.Text.Json.Serialization.JsonIgnore]
    public double Balanced => (Share(PassPass, Passes) + Share(FailFail, Fails)) / 2;

    /// <summary>
    /// A quantile of balanced accuracy, both shares being Beta distributed around what was seen (Jeffreys); to within 0.001.
    /// </summary>
    /// <remarks>Few labels of the rarer class pull it down: of two equal judges the better known one is ahead.</remarks>
    public double BalancedQuantile(double probability)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(probability);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(probability, 1);
        double[] passes = Masses(PassPass, Passes), fails = Masses(FailFail, Fails), sum = new double[2 * Bins];
        for (var i = 0; i < Bins; i++)
            for (var j = 0; j < Bins; j++)
            {
                // The sum of two numbers within a bin each spreads over two bins alike.
                sum[i + j] += passes[i] * fails[j] / 2;
                sum[i + j + 1] += passes[i] * fails[j] / 2;
            }
        var below = 0.0;
        for (var bin = 0; bin < sum.Length; bin++)
        {
            if (below + sum[bin] >= probability)
                return (bin + (probability - below) / sum[bin]) / (2 * Bins);
            below += sum[bin];
        }
        return 1;
    }

    static double[] Masses(int hits, int all)
    {
        var masses = new double[Bins];
        var before = 0.0;
        for (var bin = 0; bin < Bins; bin++)
        {
            var now = BetaDistribution.Cdf(hits + 0.5, all - hits + 0.5, (bin + 1.0) / Bins);
            (masses[bin], before) = (now - before, now);
        }
        return masses;
    }

    static double Share(int hits, int all) => all == 0 ? 0.5 : (double)hits / all;
}
