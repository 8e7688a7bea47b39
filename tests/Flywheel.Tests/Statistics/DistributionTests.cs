using Flywheel.Core.Statistics;
using MathNet.Numerics;
using MathNet.Numerics.Distributions;

namespace Flywheel.Tests.Statistics;

/// <summary>Our special functions against MathNet.Numerics.</summary>
public sealed class DistributionTests
{
    public static TheoryData<double, double> Shapes => new()
    {
        { 0.5, 0.5 }, { 0.5, 20.5 }, { 1, 1 }, { 3, 98 }, { 20.5, 0.5 }, { 47.25, 3.75 }, { 400, 401 }, { 4_500, 501 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void The_beta_distribution_agrees_with_a_numerical_library(double a, double b)
    {
        foreach (var x in new[] { 1e-6, 0.01, 0.1, 0.3, 0.5, 0.77, 0.9, 0.99, 1 - 1e-6 })
            Assert.Equal(SpecialFunctions.BetaRegularized(a, b, x), BetaDistribution.Cdf(a, b, x), 1e-9);
        foreach (var share in new[] { 0.001, 0.025, 0.1, 0.5, 0.9, 0.975, 0.999 })
            Assert.Equal(share, SpecialFunctions.BetaRegularized(a, b, BetaDistribution.Quantile(a, b, share)), 1e-9);
    }

    [Theory]
    [InlineData(0.5), InlineData(1), InlineData(2.5), InlineData(10), InlineData(123.4), InlineData(1e6)]
    public void The_logarithm_of_gamma_agrees_with_a_numerical_library(double x) =>
        Assert.Equal(0, (SpecialFunctions.GammaLn(x) - BetaDistribution.LogGamma(x)) / Math.Max(1, Math.Abs(BetaDistribution.LogGamma(x))),
            1e-11);

    [Theory]
    [InlineData(1e-10), InlineData(0.001), InlineData(0.025), InlineData(0.3), InlineData(0.5), InlineData(0.9), InlineData(0.99999)]
    public void Normal_quantiles_agree_with_a_numerical_library(double share)
    {
        Assert.Equal(Normal.InvCDF(0, 1, share), NormalDistribution.Quantile(share), 1e-8);
        Assert.Equal(share, NormalDistribution.Cdf(NormalDistribution.Quantile(share)), 1e-12);
    }

    [Theory]
    [InlineData(0.5, 0.5), InlineData(0.5, 8.5), InlineData(30, 4)]
    public void Draws_follow_the_distribution(double a, double b)
    {
        const int Draws = 20_000;
        var random = new Random(1);
        var sample = Enumerable.Range(0, Draws).Select(_ => BetaDistribution.Sample(random, a, b)).Order().ToArray();

        // Kolmogorov-Smirnov at 0.1 %.
        var gap = sample.Select((x, i) => Math.Abs(BetaDistribution.Cdf(a, b, x) - (i + 0.5) / Draws)).Max();

        Assert.True(gap < 1.95 / Math.Sqrt(Draws), $"the draws are {gap:0.0000} off");
    }
}
