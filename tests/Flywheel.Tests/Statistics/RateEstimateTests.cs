using Flywheel.Core.Statistics;
using Flywheel.Studies;

namespace Flywheel.Tests.Statistics;

public sealed class RateEstimateTests
{
    const int Judged = 2_000;
    const int Runs = 250;

    // 250 runs of a 95 % interval fall below 0.908 once in a thousand times.
    const double LeastCoverage = 0.908;

    [Theory]
    [InlineData(0.70, 0.90, 0.80, 20, 0.30)]
    [InlineData(0.90, 0.95, 0.70, 60, 0.13)]
    [InlineData(0.97, 0.97, 0.60, 20, 0.17)]
    public void Intervals_hold_the_truth_and_the_judge_alone_does_not(double passing, double tpr, double tnr, int labels, double widest)
    {
        var traffic = new SimulatedTraffic(passing, tpr, tnr);
        var random = new Random(5);
        Tally rate = new(), hits = new(), rightFails = new(), kappa = new(), judge = new();

        for (var run = 0; run < Runs; run++)
        {
            var estimate = RateEstimate.Of(traffic.Draw(random, Judged, labels), run);
            rate.Add(estimate.Posterior.PassRate, passing);
            hits.Add(estimate.Posterior.TruePassRate, tpr);
            rightFails.Add(estimate.Posterior.TrueFailRate, tnr);
            kappa.Add(estimate.Posterior.Kappa, traffic.Kappa);
            judge.Add(estimate.JudgeOnly, passing);
        }

        foreach (var tally in new[] { rate, hits, rightFails, kappa })
            Assert.True(tally.Coverage >= LeastCoverage, $"{traffic}: {rate} {hits} {rightFails} {kappa}");
        Assert.True(rate.Width <= widest, $"{traffic}: {rate}");
        Assert.True(judge.Coverage < 0.8, $"{traffic}: judge alone {judge}");
    }

    [Fact]
    public void The_plain_interval_of_prediction_powered_inference_fails_at_a_high_pass_rate()
    {
        var traffic = new SimulatedTraffic(0.97, 0.97, 0.60);
        var random = new Random(6);
        Tally powered = new(), ours = new();

        for (var run = 0; run < Runs; run++)
        {
            var rows = traffic.Draw(random, Judged, 20);
            powered.Add(AugmentedEstimate.PredictionPowered(
                [.. rows.Take(20).Select(row => row.Human == true ? 1.0 : 0)],
                [.. rows.Take(20).Select(row => row.Judge == true ? 1.0 : 0)],
                [.. rows.Skip(20).Select(row => row.Judge == true ? 1.0 : 0)]), 0.97);
            ours.Add(RateEstimate.Of(rows, run).Posterior.PassRate, 0.97);
        }

        Assert.True(powered.Coverage < 0.5, $"prediction-powered {powered}");
        Assert.True(ours.Coverage >= LeastCoverage, $"ours {ours}");
    }

    [Fact]
    public void Labels_may_favour_one_verdict()
    {
        var traffic = new SimulatedTraffic(0.90, 0.95, 0.70);
        var random = new Random(7);
        Tally ours = new(), alone = new();

        for (var run = 0; run < Runs; run++)
        {
            var estimate = RateEstimate.Of(traffic.DrawHalfOnFails(random, Judged, 60), run);
            ours.Add(estimate.Posterior.PassRate, 0.90);
            alone.Add(estimate.HumanOnly, 0.90);
        }

        Assert.True(ours.Coverage >= LeastCoverage, $"ours {ours}");
        Assert.True(alone.Coverage < 0.1, $"labels alone {alone}");
    }

    [Theory]
    [InlineData(0.05, RateMethod.Augmented)]
    [InlineData(0.01, RateMethod.WeightedBetaCells)]
    public void Logged_propensities_undo_what_else_the_labels_favoured(double rarest, RateMethod method)
    {
        var random = new Random(8);
        Tally weighted = new(), unweighted = new();
        var methods = new HashSet<RateMethod>();
        const double Truth = 0.3 * 0.6 + 0.7 * 0.95;

        for (var run = 0; run < Runs; run++)
        {
            // Hard cases fail more often and are labelled four times as often, whatever the verdict.
            var rows = Enumerable.Range(0, Judged).Select(_ =>
            {
                var hard = random.NextDouble() < 0.3;
                var human = random.NextDouble() < (hard ? 0.6 : 0.95);
                var propensity = hard ? 4 * rarest : rarest;
                return new JudgedRow(
                    random.NextDouble() < (human ? 0.9 : 0.4), random.NextDouble() < propensity ? human : null, propensity);
            }).ToArray();
            var estimate = RateEstimate.Of(rows, run);
            methods.Add(estimate.Method);
            weighted.Add(estimate.Posterior.PassRate, Truth);
            unweighted.Add(RateEstimate.Of([.. rows.Select(row => row with { Propensity = null })], run).Posterior.PassRate, Truth);
        }

        Assert.Equal(method, Assert.Single(methods));
        Assert.True(weighted.Coverage >= LeastCoverage, $"with propensities {weighted}");
        Assert.True(unweighted.Coverage < weighted.Coverage - 0.05, $"without {unweighted}, with {weighted}");
    }

    [Fact]
    public void Picked_labels_do_not_count_among_drawn_ones()
    {
        JudgedRow[] rows =
        [
            .. Enumerable.Repeat(new JudgedRow(true, true, 0.1), 30), .. Enumerable.Repeat(new JudgedRow(false, false, null), 30),
            .. Enumerable.Repeat(new JudgedRow(true, null), 200),
        ];

        var estimate = RateEstimate.Of(rows);

        Assert.Equal(30, estimate.Labels);
        Assert.Equal(30, estimate.Picked);
        Assert.Equal(260, estimate.Judged);
    }

    [Fact]
    public void Rows_that_the_judge_failed_to_answer_count_in_the_pass_rate()
    {
        JudgedRow[] rows =
        [
            .. Enumerable.Repeat(new JudgedRow(true, true), 50), .. Enumerable.Repeat(new JudgedRow(false, false), 50),
            .. Enumerable.Repeat(new JudgedRow(null, false), 100),
        ];

        var estimate = RateEstimate.Of(rows);

        Assert.Equal(100, estimate.Unreadable);
        Assert.InRange(estimate.Posterior.PassRate.Median, 0.24, 0.27);
        Assert.Equal(0.5, estimate.JudgeOnly.Median);
        Assert.True(estimate.Posterior.TrueFailRate.Low > 0.9);
    }

    [Fact]
    public void Strata_stand_alone_only_with_labels_of_both_kinds()
    {
        // Stratum a is labelled ten times as densely as b, and worse. Split, each is weighed by its traffic; pooled, a would drag b down.
        VerdictCell[] split = [new(true, "a", 100, 40, 10), new(true, "b", 900, 45, 5), new(false, null, 10, 1, 1)];
        VerdictCell[] scarce = [new(true, "a", 100, 40, 10), new(true, "b", 900, 46, 4), new(false, null, 10, 1, 1)];

        Assert.InRange(PassRatePosterior.Of(split).PassRate.Median, 0.87, 0.90);
        Assert.InRange(PassRatePosterior.Of(scarce).PassRate.Median, 0.90, 0.92); // b is pooled with nobody, since a stands alone
        Assert.InRange(PassRatePosterior.Of([split[0] with { Passes = 46, Fails = 4 }, scarce[1], split[2]]).PassRate.Median, 0.90, 0.92);
    }

    [Fact]
    public void No_labels_at_all_is_an_answer()
    {
        var estimate = RateEstimate.Of([.. Enumerable.Repeat(new JudgedRow(true, null), 40)]);

        Assert.Equal(0, estimate.Labels);
        Assert.True(estimate.Posterior.PassRate.Width > 0.9);
    }

    [Fact]
    public void The_same_rows_give_the_same_answer()
    {
        var rows = new SimulatedTraffic(0.9, 0.9, 0.6).Draw(new Random(1), 500, 50);

        Assert.Equal(RateEstimate.Of(rows), RateEstimate.Of(rows));
    }

    /// <summary>Numbers worked out by hand from the formulas of PPI++.</summary>
    [Fact]
    public void Prediction_powered_inference_matches_its_formulas()
    {
        double[] human = [1, 1, 0, 1], labelled = [1, 0, 0, 1], all = [1, 1, 0, 0, 1, 0, 0, 0];

        var plain = AugmentedEstimate.PredictionPowered(human, labelled, all, weight: 1);
        var tuned = AugmentedEstimate.PredictionPowered(human, labelled, all);

        Assert.Equal(0.625, plain.Median, 12);                       // 3/8 + mean(0,1,0,0)
        Assert.Equal(1.959964 * Math.Sqrt(15.0 / 56 / 8 + 0.0625), plain.High - plain.Median, 9);
        Assert.Equal(0.75 - 0.125 * (1.0 / 6 / (1.5 * 15 / 56)), tuned.Median, 9); // lambda = cov / (1.5 var)
    }
}
