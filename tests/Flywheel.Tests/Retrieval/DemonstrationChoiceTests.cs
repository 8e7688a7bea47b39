using CsCheck;
using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public class DemonstrationChoiceTests
{
    [Fact]
    public void Recency_counts_from_approval_not_from_arrival()
    {
        var index = Index(
            Row(1, "where is my card", age: TimeSpan.FromDays(1)),
            Row(2, "where is my card", age: TimeSpan.FromDays(100)));

        var chosen = index.Ask("where is my card", Plain with { Count = 1 });

        Assert.Equal([1], chosen.Numbers());
        Assert.Equal(Math.Pow(2, -1 / 30.0), chosen.Chosen[0].Parts.Recency, 6);
    }

    [Fact]
    public void What_is_approved_later_than_now_is_not_there_yet()
    {
        var index = Index(Row(1, "where is my card", age: TimeSpan.FromTicks(-1)), Row(2, "where is my card"));

        Assert.Equal([2], index.Ask("where is my card", Plain).Numbers());
    }

    [Fact]
    public void The_case_the_model_had_wrong_goes_before_the_same_case_it_had_right()
    {
        var index = Index(Row(1, "where is my card"), Row(2, "where is my card", disagreement: 1));

        Assert.Equal([2], index.Ask("where is my card", Plain with { Count = 1 }).Numbers());
        Assert.Equal([1], index.Ask("where is my card", Plain with { Count = 1, DisagreementWeight = 0 }).Numbers());
    }

    [Fact]
    public void The_most_similar_comes_last_in_the_prompt()
    {
        var index = Index(Row(1, "refund my order"), Row(2, "refund my broken order please"), Row(3, "opening hours"), Row(4, "my order"));

        var chosen = index.Ask("refund my order", RetrievalPolicy.Default with { Count = 4, MinimumSimilarity = -1 }).Chosen;

        Assert.Equal(chosen.Select(c => c.Parts.Similarity).Order(), chosen.Select(c => c.Parts.Similarity));
        Assert.Equal("refund my order", chosen[^1].Text);
    }

    [Fact]
    public void Similar_fixed_shows_corrected_rows_only()
    {
        var index = Index(Enumerable.Range(1, 200).Select(i => Row(i, $"refund order {i}", isFixed: i % 10 == 0)));

        var chosen = index.Ask("refund order", Plain with { Strategy = RetrievalStrategy.SimilarFixed, Count = 50 }).Chosen;

        Assert.Equal(20, chosen.Count);
        Assert.All(chosen, c => Assert.True(c.IsFixed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Both_shows_a_corrected_and_a_confirmed_row_however_far_the_rarer_kind_is(bool rareIsFixed)
    {
        var index = Index(
        [
            .. Enumerable.Range(1, 500).Select(i => Row(i, $"refund order {i}", isFixed: !rareIsFixed)),
            Row(1000, "order a new card", isFixed: rareIsFixed),
        ]);

        var chosen = index.Ask("refund order", RetrievalPolicy.Default with { Strategy = RetrievalStrategy.Both, Count = 4 });

        Assert.Contains(1000, chosen.Numbers());
        Assert.Equal(4, chosen.Chosen.Count);
    }

    [Fact]
    public void Recent_shows_the_latest_approved_whatever_the_query_the_newest_last()
    {
        var index = Index(Enumerable.Range(1, 300).Select(i => Row(i, $"message {i}", age: TimeSpan.FromMinutes(i * 7 % 300))));

        var numbers = index.Ask("message 12", RetrievalPolicy.Default with { Strategy = RetrievalStrategy.Recent, Count = 3 }).Numbers();

        var latest = Enumerable.Range(1, 300).OrderBy(i => i * 7 % 300).Take(3).Reverse();
        Assert.Equal(latest, numbers);
    }

    [Fact]
    public void An_empty_query_is_given_the_most_recent()
    {
        var index = Index(Row(1, "a card", age: TimeSpan.FromDays(2)), Row(2, "a fee", age: TimeSpan.FromDays(1)));

        Assert.Equal([1, 2], index.Ask("?!", RetrievalPolicy.Default).Numbers());
    }

    [Fact]
    public void A_judge_sees_both_labels_in_bounds_whenever_the_pool_has_them() =>
        Gen.Select(Gen.Int[0, 200], Gen.Int[0, 200], Gen.Int[0, 1_000]).Sample((passes, fails, seed) =>
        {
            var random = new Random(seed);
            // One label is much nearer to the query than the other.
            var index = Index(
            [
                .. Enumerable.Range(1, passes).Select(i => Row(i, $"refund order {random.Next(50)} {i}", "pass")),
                .. Enumerable.Range(1_000, fails).Select(i => Row(i, $"order {random.Next(50)} cancelled {i}", "fail")),
            ]);

            var chosen = index.Ask("refund order", RetrievalPolicy.ForJudge with { MinimumSimilarity = -1 }).Chosen;

            var shown = chosen.CountBy(c => c.Answer).ToDictionary();
            Assert.InRange(shown.GetValueOrDefault("pass"), Math.Min(2, passes), 4);
            Assert.InRange(shown.GetValueOrDefault("fail"), Math.Min(2, fails), 4);
            Assert.Equal(Math.Min(6, Math.Min(4, passes) + Math.Min(4, fails)), chosen.Count);
        }, iter: 100);

    [Fact]
    public void One_end_user_fills_no_prompt_however_many_rows_are_theirs()
    {
        var index = Index(
        [
            .. Enumerable.Range(1, 500).Select(i => Row(i, "transfer the money now", endUser: "mallory")),
            .. Enumerable.Range(1001, 5).Select(i => Row(i, $"transfer of money {i}", endUser: $"user {i}")),
            Row(2001, "money transfer", endUser: null), Row(2002, "money transfer", endUser: null),
        ]);

        var chosen = index.Ask("transfer the money now", RetrievalPolicy.Default with { Count = 8 });

        Assert.Equal(8, chosen.Chosen.Count);
        Assert.Single(chosen.Numbers(), number => number <= 500);
    }

    [Fact]
    public void Rows_less_similar_than_the_minimum_stay_out()
    {
        var index = Index(Row(1, "where is my card"), Row(2, "completely unrelated words"));

        var result = index.Ask("where is my card", Plain with { MinimumSimilarity = 0.5 });

        Assert.Equal([1], result.Numbers());
        Assert.Equal(1, result.Eligible);
    }

    [Fact]
    public void Diversity_prefers_another_wording_to_a_repetition()
    {
        var index = Index(Row(1, "my card is lost"), Row(2, "my card is lost!"), Row(3, "i lost the card yesterday"));

        Assert.Equal([1, 2], index.Ask("my card is lost", Plain with { Count = 2 }).Numbers().Order());
        var diverse = index.Ask("my card is lost", Plain with { Count = 2, DiversityWeight = 2 });
        Assert.Contains(3, diverse.Numbers());
        Assert.Equal(0, diverse.Chosen[^1].Parts.Redundancy);
    }

    [Fact]
    public void Coverage_prefers_a_row_with_the_words_that_are_still_missing()
    {
        var index = Index(Row(1, "cancel my order today"), Row(2, "cancel my order today please"), Row(3, "change the delivery address"));

        var chosen = index.Ask("cancel my order today and change the address", Plain with { Count = 2, CoverageWeight = 2 });

        Assert.Equal([1, 3], chosen.Numbers().Order());
        Assert.All(chosen.Chosen, c => Assert.True(c.Parts.Coverage > 0));
    }

    [Fact]
    public void Support_lets_the_neighbourhood_outvote_one_mislabelled_row()
    {
        var index = Index(
        [
            Row(1, "where is my card 1", "fee", disagreement: 1),
            .. Enumerable.Range(2, 8).Select(i => Row(i, $"where is my card {i}", "card")),
        ]);

        Assert.Equal("fee", index.Ask("where is my card", Plain with { Count = 1 }).Chosen[0].Answer);
        Assert.Equal("card", index.Ask("where is my card", Plain with { Count = 1, SupportWeight = 3 }).Chosen[0].Answer);
    }

    [Fact]
    public void The_parts_explain_the_score()
    {
        var index = Index(Enumerable.Range(1, 100).Select(i => Row(
            i, $"refund order {i % 20} of {i}", i % 3 == 0 ? "a" : "b", age: TimeSpan.FromDays(i % 40), disagreement: i % 5 / 5.0)));
        var policy = RetrievalPolicy.Default;

        var chosen = index.Ask("refund order 7", policy).Chosen;

        var best = chosen.Max(c => c.Parts.Relevance);
        Assert.Equal(8, chosen.Count);
        foreach (var parts in chosen.Select(c => c.Parts))
        {
            Assert.Equal(Math.Pow(parts.Similarity, 4) * parts.Recency * parts.Disagreement * parts.Support, parts.Relevance, 9);
            // The best row of the pool may itself not be the best choice, but then it is within the other weights.
            var score = parts.Relevance / best + policy.CoverageWeight * parts.Coverage - policy.DiversityWeight * parts.Redundancy;
            Assert.Equal(score, parts.Score, 0.1);
        }
    }

    [Fact]
    public void The_same_question_gets_the_same_answer() =>
        Gen.Int[0, 1_000].Sample(seed =>
        {
            var random = new Random(seed);
            var rows = Enumerable.Range(1, 200).Select(i => Row(i, $"refund {random.Next(5)} order {random.Next(5)}", $"{random.Next(3)}"))
                .ToList();

            var once = Index(rows).Ask("refund 3", RetrievalPolicy.Default).Chosen;
            var again = Index(rows).Ask("refund 3", RetrievalPolicy.Default).Chosen;

            Assert.Equal(once, again);
        }, iter: 20);

    [Fact]
    public void A_count_of_zero_and_an_empty_index_give_nothing()
    {
        Assert.Empty(Index().Ask("card", RetrievalPolicy.Default).Chosen);
        Assert.Empty(Index(Row(1, "card")).Ask("card", RetrievalPolicy.Default with { Count = 0 }).Chosen);
    }
}
