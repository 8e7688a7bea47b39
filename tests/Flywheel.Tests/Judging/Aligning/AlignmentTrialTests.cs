using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Judging.Aligning;

public sealed class AlignmentTrialTests
{
    static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    static AlignmentCase Case(int i, bool passed, string? trace = null, double chance = 0, bool served = false) =>
        new(Guid.CreateVersion7(), new(i), trace ?? $"t{i}", "answer", passed, null, chance, served, Noon.AddMinutes(i));

    static AlignmentCase[] Cases(int count, Func<int, bool> passed) => [.. Enumerable.Range(0, count).Select(i => Case(i, passed(i)))];

    [Theory]
    // Wikipedia, McNemar's test, second example: 6 and 16, exact 0.052; the manual of R's exact2x2: 2 and 9, p = 0.06543.
    [InlineData(6, 16, 0.0525)]
    [InlineData(9, 2, 0.06543)]
    [InlineData(0, 0, 1)]
    [InlineData(5, 5, 1)]
    [InlineData(0, 8, 0.0078125)]
    [InlineData(1, 10, 0.01171875)]
    public void McNemar_matches_published_values(int oneWay, int otherWay, double expected) =>
        Assert.Equal(expected, McNemar.ExactP(oneWay, otherWay), 4);

    [Theory]
    [InlineData(2, 0, 0.924, 0.25, false)]   // the posterior alone would promote
    [InlineData(4, 1, 0.912, 0.1875, false)] // and here
    [InlineData(4, 0, 0.985, 0.0625, true)]
    [InlineData(9, 3, 0.961, 0.0730, true)]
    [InlineData(3, 9, 0.039, 0.9807, false)]
    [InlineData(0, 0, 0.5, 1, false)]
    public void A_judge_is_promoted_where_the_posterior_and_the_exact_test_agree(
        int better, int worse, double probability, double exact, bool promotes)
    {
        var test = PairedTest.Of(100, better, worse);

        Assert.Equal(probability, test.Probability, 3);
        Assert.Equal(exact, test.ExactP, 4);
        Assert.Equal(promotes, test.Promotes);
    }

    [Fact]
    public void The_exact_test_promotes_one_of_two_equal_judges_in_at_most_ten_percent_whatever_they_differ_on_and_the_posterior_alone_does_not()
    {
        double worst = 0, worstOfPosterior = 0;
        for (var differing = 0; differing <= 60; differing++)
        {
            double both = 0, posterior = 0;
            for (var better = 0; better <= differing; better++)
            {
                var weight = Math.Exp(
                    BetaDistribution.LogGamma(differing + 1) - BetaDistribution.LogGamma(better + 1)
                        - BetaDistribution.LogGamma(differing - better + 1)
                    - differing * Math.Log(2));
                var test = PairedTest.Of(100, better, differing - better);
                both += test.Promotes ? weight : 0;
                posterior += test.Probability >= PairedTest.Needed ? weight : 0;
            }
            (worst, worstOfPosterior) = (Math.Max(worst, both), Math.Max(worstOfPosterior, posterior));
        }

        Assert.InRange(worst, 0.08, 0.1);
        Assert.Equal(0.25, worstOfPosterior, 6);
    }

    [Fact]
    public void Weighted_labels_count_as_their_effective_number_and_equal_weights_as_their_number()
    {
        var equal = PairedTest.Of([(3, true, false), (3, true, false), (3, false, true), (3, true, true), (3, false, false)]);
        var uneven = PairedTest.Of([(10, true, false), (1, false, true), (1, false, true)]);

        Assert.Equal((2.0, 1.0, 5), (equal.NewOnly, equal.OldOnly, equal.Labels));
        Assert.Equal(144.0 / 102 * 10 / 12, uneven.NewOnly, 9);
        Assert.Equal(144.0 / 102 * 2 / 12, uneven.OldOnly, 9);
        Assert.Throws<ArgumentException>(() => PairedTest.Of([(0, true, false)]));
    }

    [Fact]
    public void The_lower_quantile_of_balanced_accuracy_agrees_with_draws()
    {
        var counts = new JudgeCounts(40, 3, 5, 9, 1, 0);
        var random = new Random(7);
        var draws = Enumerable.Range(0, 40_000)
            .Select(_ => (BetaDistribution.Sample(random, 40.5, 6.5) + BetaDistribution.Sample(random, 9.5, 3.5)) / 2).Order().ToArray();

        Assert.InRange(counts.BalancedQuantile(0.05), draws[2_000] - 0.003, draws[2_000] + 0.003);
        Assert.InRange(counts.BalancedQuantile(0.5), draws[20_000] - 0.003, draws[20_000] + 0.003);
        Assert.InRange(new JudgeCounts(0, 0, 0, 0, 0, 0).BalancedQuantile(0.5), 0.499, 0.501);
        Assert.Equal((40.0 / 46 + 9.0 / 12) / 2, counts.Balanced, 9);
        Assert.True(new JudgeCounts(400, 30, 50, 90, 10, 0).BalancedQuantile(0.05) > counts.BalancedQuantile(0.05));
        Assert.Equal(0.5, new JudgeCounts(0, 0, 0, 0, 0, 0).Balanced);
    }

    [Fact]
    public void The_later_half_is_held_out_and_no_trace_is_on_two_sides_or_in_two_folds()
    {
        var cases = Enumerable.Range(0, 200).Select(i => Case(i, i % 4 != 0, trace: $"t{i / 3}")).ToArray();

        var split = LabelSplit.Of(cases);

        Assert.Equal(200, split.Fit.Count + split.HeldOut.Count);
        Assert.InRange(split.HeldOut.Count, 100, 103);
        Assert.True(split.Fit.Max(each => each.At) < split.HeldOut.Min(each => each.At));
        Assert.Empty(split.Fit.Select(each => each.Trace).Intersect(split.HeldOut.Select(each => each.Trace)));
        Assert.All(split.Fit.Zip(split.Fold).GroupBy(each => each.First.Trace), trace =>
            Assert.Single(trace.Select(each => each.Second).Distinct()));
        Assert.All(split.Fold.CountBy(fold => fold), fold => Assert.InRange(fold.Value, 15, 24));
        Assert.Equal(LabelSplit.Folds, split.Fold.Distinct().Count());
        var again = LabelSplit.Of([.. cases.Reverse()]);
        Assert.Equal(
            split.Fit.Zip(split.Fold).OrderBy(each => each.First.Label).Select(each => (each.First.Label, each.Second)),
            again.Fit.Zip(again.Fold).OrderBy(each => each.First.Label).Select(each => (each.First.Label, each.Second)));
    }

    [Fact]
    public void Labels_that_were_picked_for_what_the_judge_said_are_not_tested_on_and_drawn_ones_weigh_by_their_chance()
    {
        AlignmentCase[] few =
            [.. Cases(40, i => i % 2 == 0), Case(40, true, chance: -1), Case(41, true, served: true),
                Case(42, true, chance: 0.1, served: true)];
        AlignmentCase[] drawn =
            [.. Enumerable.Range(0, 60).Select(i => Case(i, i % 2 == 0, chance: i % 3 == 0 ? 0.5 : 0.1)),
                .. Enumerable.Range(60, 10).Select(i => Case(i, true))];

        var weightsOfFew = LabelSplit.Of(few) is var one ? one.HeldOut.Zip(one.Weights)
            .ToDictionary(each => (int)each.First.Span.Value, each => each.Second) : null!;
        var split = LabelSplit.Of(drawn);

        Assert.Equal((0, 0, 1, 1), (weightsOfFew[40], weightsOfFew[41], weightsOfFew[42], weightsOfFew[39]));
        Assert.All(split.HeldOut.Zip(split.Weights), each =>
            Assert.Equal(each.First.Chance == 0 ? 0 : 1 / each.First.Chance, each.Second, 9));
        Assert.Equal(split.HeldOut.Count - 10, split.Tested);
    }

    [Theory]
    [InlineData(0, 2, 40)]
    [InlineData(30, 2, 12)]
    [InlineData(80, 2, 0)]
    [InlineData(80, 20, 120)]
    public void What_is_missing_is_told_in_labels(int count, int failEvery, int missing)
    {
        var told = LabelSplit.Of(Cases(count, i => i % failEvery != 0)).Missing();

        Assert.InRange(told, missing == 0 ? 0 : missing * 0.6, missing * 1.6);
    }

    [Fact]
    public async Task The_better_candidate_is_chosen_tested_once_on_later_labels_and_promoted()
    {
        var cases = Cases(200, i => i % 3 != 0);
        var asked = new List<(int Candidate, bool HeldOut, int Count)>();
        Task<IReadOnlyList<Outcome>> Ask(int candidate, IReadOnlyList<AlignmentCase> of, IReadOnlyList<int>? folds)
        {
            asked.Add((candidate, folds is null, of.Count));
            // The present judge errs on every fourth text, candidate 1 on every third, candidate 2 on every fiftieth.
            int[] errs = [4, 3, 50];
            return Task.FromResult<IReadOnlyList<Outcome>>(
                [.. of.Select(each => each.Passed == (each.Span.Value % errs[candidate] != 0) ? Outcome.Pass : Outcome.Fail)]);
        }

        var result = await AlignmentTrial.RunAsync(LabelSplit.Of(cases), 3, Ask);

        Assert.Equal((2, true), (result.Chosen, result.Promotes));
        Assert.Equal([(0, false, 100), (1, false, 100), (2, false, 100), (0, true, 100), (2, true, 100)], asked);
        Assert.True(result.Test!.NewOnly > result.Test.OldOnly);
        Assert.True(result.New!.Balanced > result.Old!.Balanced);
    }

    [Fact]
    public async Task Where_the_present_judge_is_ahead_nothing_is_tested()
    {
        var result = await AlignmentTrial.RunAsync(LabelSplit.Of(Cases(100, i => i % 2 == 0)), 2, (candidate, of, folds) =>
        {
            Assert.NotNull(folds);
            return Task.FromResult<IReadOnlyList<Outcome>>(
                [.. of.Select(each => candidate == 0 ? each.Passed ? Outcome.Pass : Outcome.Fail : Outcome.Unsure)]);
        });

        Assert.Equal((0, null, false), (result.Chosen, result.Test, result.Promotes));
        Assert.Equal((50, 0.0), (result.Scores[1].Counts.UndecidedPass + result.Scores[1].Counts.UndecidedFail, result.Scores[1].Balanced));
    }
}
