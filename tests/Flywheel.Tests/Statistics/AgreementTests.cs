using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Statistics;

public sealed class AgreementTests
{
    static Rating[] Table(params string[] raters) =>
        [.. raters.SelectMany((answers, rater) => answers.Split(' ').Select((value, item) => (value, item))
            .Where(each => each.value != ".").Select(each => new Rating($"{each.item}", $"{rater}", each.value)))];

    [Fact]
    public void Alpha_matches_the_published_example()
    {
        // Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: four observers, missing answers.
        var agreement = RaterAgreement.Of(Table(
            "1 2 3 3 2 1 4 1 2 . . .",
            "1 2 3 3 2 2 4 1 2 5 . 3",
            ". 3 3 3 2 3 4 2 2 5 1 .",
            "1 2 3 3 2 4 4 1 2 5 1 ."));

        Assert.Equal(0.743, agreement.Alpha.Value!.Value, 3);
        Assert.True(agreement.Alpha.Low < 0.743 && agreement.Alpha.High > 0.743);
        Assert.Equal((11, 1, 4), (agreement.Items, agreement.SingleItems, agreement.Raters));
        Assert.Equal("fleiss", agreement.KappaName);
    }

    [Fact]
    public void Fleiss_kappa_matches_the_published_example()
    {
        // Fleiss 1971 as retold in textbooks: ten items, fourteen raters, five categories.
        int[][] counts =
        [
            [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
        ];
        var ratings = counts.SelectMany((row, item) => row.SelectMany((count, value) => Enumerable.Repeat(value, count))
            .Select((value, rater) => new Rating($"{item}", $"{rater}", $"{value}"))).ToArray();

        Assert.Equal(0.210, RaterAgreement.Of(ratings).Kappa.Value!.Value, 3);
    }

    [Fact]
    public void Cohens_kappa_matches_the_textbook()
    {
        var ratings = new[] { ("yes", "yes", 20), ("yes", "no", 5), ("no", "yes", 10), ("no", "no", 15) }
            .SelectMany(cell => Enumerable.Repeat((cell.Item1, cell.Item2), cell.Item3))
            .SelectMany((pair, item) => new[] { new Rating($"{item}", "a", pair.Item1), new Rating($"{item}", "b", pair.Item2) }).ToArray();

        var agreement = RaterAgreement.Of(ratings);

        Assert.Equal("cohen", agreement.KappaName);
        Assert.Equal(0.4, agreement.Kappa.Value!.Value, 12);
        Assert.Equal(0.7, agreement.Agreement.Value!.Value, 12);
    }

    [Fact]
    public void Intervals_hold_the_truth_of_raters_with_known_noise()
    {
        var random = new Random(1);
        var held = 0;
        const int Runs = 60;
        // Two raters see a fair coin, each wrong one time in ten: alpha = (2 * 0.82 - 1).
        for (var run = 0; run < Runs; run++)
        {
            var ratings = Enumerable.Range(0, 80).SelectMany(item =>
            {
                var truth = random.NextDouble() < 0.5;
                return new[] { "a", "b" }.Select(rater => new Rating($"{item}", rater, $"{(random.NextDouble() < 0.9 ? truth : !truth)}"));
            }).ToArray();
            var alpha = RaterAgreement.Of(ratings).Alpha;
            held += alpha.Low <= 0.64 && 0.64 <= alpha.High ? 1 : 0;
        }

        Assert.InRange(held, 50, Runs);
    }

    [Fact]
    public void The_same_answer_everywhere_tells_nothing()
    {
        var agreement = RaterAgreement.Of(Table("1 1 1", "1 1 1"));

        Assert.Null(agreement.Alpha.Value);
        Assert.Null(agreement.Kappa.Value);
        Assert.Equal(1, agreement.Agreement.Value);
    }

    [Fact]
    public void Answers_of_one_person_are_no_agreement()
    {
        var agreement = RaterAgreement.Of(Table("1 2 1"));

        Assert.Equal((0, 3), (agreement.Items, agreement.SingleItems));
        Assert.Null(agreement.Alpha.Value);
    }

    [Fact]
    public void A_hundred_thousand_items_take_no_time_and_have_the_interval_that_theory_gives()
    {
        var random = new Random(9);
        Rating[] ratings = [.. Enumerable.Range(0, 100_000).SelectMany(i =>
        {
            var truth = random.NextDouble() < 0.7;
            return Enumerable.Range(0, 2)
                .Select(rater => new Rating($"{i}", $"{rater}", random.NextDouble() < 0.9 == truth ? "good" : "bad"));
        })];
        RaterAgreement agreement = null!;

        var taken = ThreadTime.Of(() => agreement = RaterAgreement.Of(ratings));

        Assert.InRange(agreement.Agreement.Value!.Value, 0.81, 0.83);
        var half = 1.96 * Math.Sqrt(0.82 * 0.18 / 100_000);
        Assert.Equal(2 * half, agreement.Agreement.High!.Value - agreement.Agreement.Low!.Value, 0.15 * 2 * half);
        Assert.InRange(agreement.Kappa.Value!.Value, agreement.Kappa.Low!.Value, agreement.Kappa.High!.Value);
        Assert.True(taken < TimeSpan.FromSeconds(10), $"it took {taken}");
    }
}
