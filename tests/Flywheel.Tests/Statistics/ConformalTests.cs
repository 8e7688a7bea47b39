using CsCheck;
using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class ConformalTests
{
    [Fact]
    public void A_p_value_counts_the_scores_that_are_as_strange()
    {
        var calibration = new ConformalCalibration([3, 1, 2, 2]);

        Assert.Equal([1.0, 0.8, 0.4, 0.2], new[] { 1.0, 2, 3, 4 }.Select(calibration.PValue));
        Assert.Equal(1, new ConformalCalibration([]).PValue(99));
    }

    [Fact]
    public void The_threshold_flags_exactly_what_the_p_value_does() =>
        Gen.Select(Gen.Double[-5, 5].Array[1, 300], Gen.Double[0.01, 0.4], Gen.Double[-6, 6]).Sample((scores, rate, score) =>
        {
            var calibration = new ConformalCalibration(scores);
            var flagged = calibration.Threshold(rate) is { } threshold && score > threshold;
            return flagged == (calibration.PValue(score) <= rate + 1e-12);
        });

    [Theory]
    [InlineData(0.05, 19)]
    [InlineData(0.01, 99)]
    public void Too_few_scores_can_flag_nothing(double rate, int needed)
    {
        Assert.Equal(needed, ConformalCalibration.Needed(rate));
        Assert.Null(new ConformalCalibration(Enumerable.Range(0, needed - 1).Select(i => (double)i)).Threshold(rate));
        Assert.NotNull(new ConformalCalibration(Enumerable.Range(0, needed).Select(i => (double)i)).Threshold(rate));
    }

    [Fact]
    public void Ordinary_scores_are_flagged_at_the_nominal_rate_and_shifted_ones_far_more()
    {
        var random = new Random(1);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        double Rate(double shift) => Enumerable.Range(0, 200).Average(_ =>
        {
            var calibration = new ConformalCalibration(Enumerable.Range(0, 199).Select(_ => Normal()));
            return Enumerable.Range(0, 100).Count(_ => calibration.PValue(Normal() + shift) <= 0.05) / 100.0;
        });

        Assert.InRange(Rate(0), 0.045, 0.055);
        Assert.InRange(Rate(2), 0.55, 0.75);
    }

    [Fact]
    public void Benjamini_and_Hochberg_select_as_in_their_paper()
    {
        // The fifteen p-values of section 3.2 of their paper: four hypotheses fall at 5 %.
        double[] published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0];

        Assert.Equal(4, ConformalSelection.BenjaminiHochberg(published, 0.05).Count(selected => selected));
        Assert.Empty(ConformalSelection.BenjaminiHochberg([], 0.05));
    }

    [Fact]
    public void The_area_under_the_curve_counts_ties_half()
    {
        Assert.Equal(1, ConformalSeparation.Auroc([3, 4], [1, 2]));
        Assert.Equal(0, ConformalSeparation.Auroc([1, 2], [3, 4]));
        Assert.Equal(0.5, ConformalSeparation.Auroc([1, 1], [1, 1]));
        Assert.Equal(0.625, ConformalSeparation.Auroc([1, 3], [1, 2]));
        Assert.Null(ConformalSeparation.Auroc([], [1]));
    }
}
