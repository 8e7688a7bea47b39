using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class CalibrationTests
{
    /// <summary>Verdicts whose chance of being right rises with confidence from 60 % to 98 %.</summary>
    static (double Confidence, bool Agreed)[] Draw(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ =>
        {
            var confidence = 0.5 + 0.5 * random.NextDouble();
            return (confidence, random.NextDouble() < Chance(confidence));
        })];

    static double Chance(double confidence) => 0.6 + 0.38 * (confidence - 0.5) / 0.5;

    /// <summary>The true error rate at or above a confidence: the chance is linear there.</summary>
    static double Risk(double threshold) => 1 - (Chance(Math.Max(0.5, threshold)) + Chance(1)) / 2;

    [Theory]
    [InlineData(0.10, 200)]
    [InlineData(0.15, 100)]
    public void The_promise_above_the_threshold_is_kept_where_a_plot_would_break_it(double alpha, int labels)
    {
        var random = new Random(3);
        int broken = 0, naive = 0, given = 0;
        const int Runs = 300;

        for (var run = 0; run < Runs; run++)
        {
            var points = Draw(random, labels);
            if (SelectiveThreshold.Of(points, alpha, 0.1).Threshold is { } threshold)
            {
                given++;
                broken += Risk(threshold) > alpha ? 1 : 0;
            }
            var plotted = SelectiveThreshold.Levels.Where(level => points.Any(point => point.Confidence >= level)
                && points.Where(point => point.Confidence >= level).Average(point => point.Agreed ? 0.0 : 1) <= alpha)
                .Cast<double?>().Min();
            naive += plotted is { } line && Risk(line) > alpha ? 1 : 0;
        }

        Assert.True(broken <= 0.1 * Runs, $"broken {broken} of {Runs}");
        Assert.True(naive > 0.3 * Runs, $"the naive threshold broke it only {naive} times");
        Assert.True(given > 0.05 * Runs, $"a threshold was found only {given} times");
    }

    [Fact]
    public void The_promise_holds_for_labels_drawn_unevenly_once_they_are_weighted()
    {
        // A fifth of the traffic is wrong 40 % of the time, and is drawn half as often as the rest: risk is 12 %, and looks like 9 %.
        var random = new Random(7);
        int weighted = 0, taken = 0, given = 0;
        const int Runs = 300;

        for (var run = 0; run < Runs; run++)
        {
            (double Confidence, bool Agreed, double Chance) Draw(double wrong, double often)
            {
                while (true)
                {
                    var hard = random.NextDouble() < 0.2;
                    if (random.NextDouble() < (hard ? 0.5 : 1))
                        return (0.8, random.NextDouble() >= (hard ? wrong : often), hard ? 0.1 : 0.2);
                }
            }

            double? Found((double Confidence, bool Agreed, double Chance)[] drawn, bool byWeight) => SelectiveThreshold.Of(
                [.. drawn.Select(label => (label.Confidence, label.Agreed))], 0.1, 0.1,
                byWeight ? [.. drawn.Select(label => 1 / label.Chance)] : null).Threshold;

            (double, bool, double)[] broken = [.. Enumerable.Range(0, 1_500).Select(_ => Draw(0.4, 0.05))],
            kept = [.. Enumerable.Range(0, 600).Select(_ => Draw(0.2, 0.01))];
            weighted += Found(broken, byWeight: true) is null ? 0 : 1;
            taken += Found(broken, byWeight: false) is null ? 0 : 1;
            given += Found(kept, byWeight: true) is null ? 0 : 1;
        }

        Assert.True(weighted <= 0.1 * Runs, $"broken {weighted} of {Runs}");
        Assert.True(taken > 0.2 * Runs, $"unweighted it was broken only {taken} times");
        Assert.True(given > 0.9 * Runs, $"a threshold that holds was found only {given} times");
    }

    [Fact]
    public void Weights_that_are_alike_change_nothing_and_weights_count_as_so_many_rows()
    {
        var random = new Random(8);
        CalibrationRow[] rows = [.. Enumerable.Range(0, 120).Select(i => new CalibrationRow(
            Math.Round(0.5 + 0.5 * random.NextDouble(), 2), random.Next(2) == 0, random.NextDouble() < 0.85, [i % 7]))];

        var (plain, alike) = (
            CalibrationReport.Of(rows, 0.1, 0.1), CalibrationReport.Of([.. rows.Select(row => row with { Weight = 8 })], 0.1, 0.1));
        var (doubled, twice) = (
            RidgePlatt.Fit([.. rows.Select((row, i) => row with { Weight = i < 40 ? 2 : 1 })]),
            RidgePlatt.Fit([.. rows, .. rows.Take(40)]));

        Assert.Equal(plain.Threshold, alike.Threshold);
        Assert.Equal(plain.Calibrated!.Aurc, alike.Calibrated!.Aurc, 9);
        Assert.Equal(plain.Calibrated.LogLoss, alike.Calibrated.LogLoss, 9);
        // Only the ridge and the smoothed targets see fewer labels.
        Assert.Equal(twice.Predict(rows[0]), doubled.Predict(rows[0]), 0.02);
        var (one, two) = (CalibrationScores.Of([(0.9, true), (0.6, false)], weights: [2, 1]),
            CalibrationScores.Of([(0.9, true), (0.9, true), (0.6, false)]));
        Assert.Equal((two.Brier, two.LogLoss), (one.Brier, one.LogLoss));
    }

    [Fact]
    public void The_next_batch_keeps_the_promise_too()
    {
        // All at one confidence, at the error rate where a bound for the long run alone breaks the promise on batches most often.
        var random = new Random(4);
        int broken = 0, accepted = 0;
        const int Runs = 600;

        for (var run = 0; run < Runs; run++)
        {
            var points = Enumerable.Range(0, 200).Select(_ => (0.8, random.NextDouble() >= 0.085)).ToArray();
            if (SelectiveThreshold.Of(points, 0.1, 0.1).Threshold is null)
                continue;
            accepted++;
            broken += Enumerable.Range(0, 200).Count(_ => random.NextDouble() < 0.085) > 20 ? 1 : 0;
        }

        Assert.True(accepted > 0, "no run found a threshold");
        Assert.True(broken <= 0.1 * Runs, $"{broken} of {Runs} batches broke the promise");
    }

    [Theory]
    [InlineData(10)]
    [InlineData(40)]
    public void With_too_few_labels_it_says_how_many_more(int labels)
    {
        var points = Enumerable.Range(0, labels).Select(i => (0.9, i % 30 != 0)).ToArray();

        var now = SelectiveThreshold.Of(points, 0.1, 0.1);

        Assert.Null(now.Threshold);
        var needed = Assert.IsType<int>(now.LabelsNeeded);
        Assert.InRange(needed, 1, 1_000);
        var later = Enumerable.Range(0, labels + needed).Select(i => (0.9, i % 30 != 0)).ToArray();
        Assert.NotNull(SelectiveThreshold.Of(later, 0.1, 0.1).Threshold);
    }

    [Fact]
    public void A_judge_that_is_wrong_too_often_is_not_told_to_wait_for_labels()
    {
        var points = Enumerable.Range(0, 300).Select(i => (0.9, i % 2 == 0)).ToArray();

        var threshold = SelectiveThreshold.Of(points, 0.1, 0.1);

        Assert.Null(threshold.Threshold);
        Assert.Null(threshold.LabelsNeeded);
    }

    [Fact]
    public void No_labels_at_all_is_an_answer()
    {
        var report = CalibrationReport.Of([new(0.9, true, null, [])], 0.1, 0.1);

        Assert.Null(report.Calibrated);
        Assert.Null(report.Threshold.Threshold);
        Assert.True(report.Threshold.LabelsNeeded > 20);
    }

    [Fact]
    public void Scores_are_what_their_definitions_say()
    {
        (double, bool)[] points = [(0.9, true), (0.8, false), (0.6, true), (0.6, false)];

        var scores = CalibrationScores.Of(points);

        Assert.Equal((0.01 + 0.64 + 0.16 + 0.36) / 4, scores.Brier, 12);
        Assert.Equal(-(Math.Log(0.9) + Math.Log(0.2) + Math.Log(0.6) + Math.Log(0.4)) / 4, scores.LogLoss, 12);
        Assert.Equal((0.0 + 1.0 / 2 + 1.5 / 3 + 2.0 / 4) / 4, scores.Aurc, 12);
        Assert.Equal((1 + 1 + 0 + 0.5) / 4, scores.Auroc!.Value, 12);
        Assert.Equal((0.1 + 0.8 + 0.2) / 4, scores.Ece, 12);
        Assert.Equal(0.25, CalibrationScores.CoverageAtRisk(points, 0.4));
        Assert.Equal(1, CalibrationScores.CoverageAtRisk(points, 0.5));
    }

    [Fact]
    public void Calibration_mends_overconfidence_and_keeps_the_order()
    {
        var random = new Random(9);
        var rows = Enumerable.Range(0, 300).Select(_ =>
        {
            var odds = 1 + random.NextDouble() * 4;
            // The judge says odds of 1 to 5 where a third of that is true.
            return new CalibrationRow(Logistic.Share(odds), true, random.NextDouble() < Logistic.Share(odds / 3), []);
        }).ToArray();

        var report = CalibrationReport.Of(rows, 0.1, 0.1);

        Assert.True(report.Calibrated!.Brier < report.Raw!.Brier - 0.01, $"{report.Calibrated} against {report.Raw}");
        Assert.True(report.Calibrated.LogLoss < report.Raw.LogLoss - 0.02);
        Assert.True(report.Calibrated.Aurc <= report.Raw.Aurc + 1e-9);
    }

    [Fact]
    public void Labels_without_an_error_still_give_a_finite_fit()
    {
        var rows = Enumerable.Range(0, 30).Select(i => new CalibrationRow(0.7 + i % 3 * 0.1, i % 2 == 0, i % 2 == 0, [i])).ToArray();

        var share = RidgePlatt.Fit(rows, verdict: true, features: true).Predict(rows[0]);

        Assert.InRange(share, 0.85, 0.999);
    }

    [Fact]
    public void A_telling_feature_is_used_and_noise_does_no_harm()
    {
        var random = new Random(12);
        var rows = Enumerable.Range(0, 400).Select(_ =>
        {
            var doubt = random.NextDouble();
            return new CalibrationRow(0.8 + 0.1 * random.NextDouble(), true, random.NextDouble() < 1 - 0.6 * doubt, [doubt]);
        }).ToArray();

        var telling = CalibrationReport.Of(rows, 0.1, 0.1);
        var noise = CalibrationReport.Of([.. rows.Select(row => row with { Features = [random.NextDouble()] })], 0.1, 0.1);

        Assert.True(telling.Fit.UsesFeatures);
        Assert.True(telling.Calibrated!.Aurc < telling.Raw!.Aurc - 0.02);
        Assert.True(noise.Calibrated!.Aurc <= noise.Raw!.Aurc + 0.02, $"{noise.Calibrated} against {noise.Raw}");
    }

    [Fact]
    public void Isotonic_fits_pool_what_would_fall()
    {
        var fit = IsotonicFit.Fit([(0.1, 0, 1), (0.2, 1, 1), (0.3, 0, 1), (0.4, 1, 1)]);

        Assert.Equal([0, 0, 0.5, 0.5, 1, 1], new[] { 0, 0.1, 0.2, 0.35, 0.4, 0.9 }.Select(fit.At));
    }

    [Fact]
    public void Venn_Abers_brackets_the_isotonic_fit_and_narrows_with_labels()
    {
        var random = new Random(2);
        var few = VennAbers.Fit(Draw(random, 40)).Interval(0.8);
        var many = VennAbers.Fit(Draw(random, 2_000)).Interval(0.8);

        Assert.True(few.Low <= few.High && many.Low <= many.High);
        Assert.True(many.High - many.Low < few.High - few.Low);
        Assert.InRange((many.Low + many.High) / 2, Chance(0.8) - 0.1, Chance(0.8) + 0.1);
    }

    [Theory]
    [InlineData(0, 1), InlineData(1, 3), InlineData(2, 20), InlineData(3, 200), InlineData(4, 200)]
    public void Venn_Abers_equals_two_whole_isotonic_fits(int seed, int count)
    {
        var random = new Random(seed);
        // Scores of one decimal place, so that many are equal.
        var points = Enumerable.Range(0, count)
            .Select(_ => (Score: Math.Round(random.NextDouble(), seed == 4 ? 6 : 1), Agreed: random.NextDouble() < 0.7)).ToArray();
        var fit = VennAbers.Fit(points);
        var outcomes = points.Select(point => (point.Score, point.Agreed ? 1.0 : 0, 1.0)).ToArray();

        foreach (var score in Enumerable.Range(-1, 103).Select(i => i / 100.0))
        {
            var (low, high) = fit.Interval(score);

            Assert.Equal(IsotonicFit.Fit(outcomes.Append((score, 0, 1))).At(score), low, 9);
            Assert.Equal(IsotonicFit.Fit(outcomes.Append((score, 1, 1))).At(score), high, 9);
        }
    }

    [Fact]
    public void A_cascade_keeps_the_promise_and_settles_more_than_its_first_judge()
    {
        var random = new Random(5);
        int broken = 0, answered = 0;
        const int Runs = 100;

        for (var run = 0; run < Runs; run++)
        {
            var cascade = JudgeCascade.Of(Items(random, 400), 0.15, 0.1);
            var settled = Items(random, 5_000)
                .Select(item => (Item: item, Judge: cascade.Settles([.. item.Select(each => each.Confidence)])))
                .Where(each => each.Judge is not null).ToArray();
            answered += cascade.Settled[1] > 0 ? 1 : 0;
            broken += settled.Length > 0 && settled.Count(each => !each.Item[each.Judge!.Value].Agreed) > 0.15 * settled.Length ? 1 : 0;
        }

        Assert.True(broken <= 0.1 * Runs, $"broken {broken} of {Runs}");
        Assert.True(answered > Runs / 2, $"the second judge settled something in only {answered} runs");

        static IReadOnlyList<(double Confidence, bool Agreed)>[] Items(Random random, int count) =>
            [.. Enumerable.Range(0, count).Select(_ =>
            {
                double weak = 0.5 + 0.5 * random.NextDouble(), strong = 0.5 + 0.5 * random.NextDouble();
                return new[] { (weak, random.NextDouble() < Chance(weak)),
                    (strong, random.NextDouble() < 0.8 + 0.19 * (strong - 0.5) / 0.5) };
            })];
    }
}
