using CsCheck;
using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public class SoftmaxVoteTests
{
    [Fact]
    public void Votes_fall_exponentially_with_distance()
    {
        var vote = SoftmaxVote.Of([("card", 0.9), ("fee", 0.8), ("fee", 0.8)], temperature: 0.1);

        Assert.NotNull(vote);
        Assert.Equal("card", vote.Answer);
        Assert.Equal(1 / (1 + 2 / Math.E), vote.Share, 9);
        Assert.Equal(["card", "fee"], vote.Shares.Select(s => s.Answer));
    }

    [Fact]
    public void Shares_add_up_to_one_whatever_the_similarities() =>
        Gen.Select(Gen.OneOfConst("a", "b", "c"), Gen.Double[-1, 1]).Array[1, 30].Sample(neighbours =>
        {
            var vote = SoftmaxVote.Of(neighbours, 0.02)!;

            Assert.Equal(1, vote.Shares.Sum(s => s.Share), 9);
            Assert.Equal(vote.Shares.Max(s => s.Share), vote.Share);
        });

    [Fact]
    public void Nobody_voting_is_no_vote() => Assert.Null(SoftmaxVote.Of([]));

    [Fact]
    public void Equal_votes_go_to_the_first_answer_in_order() =>
        Assert.Equal("a", SoftmaxVote.Of([("b", 0.5), ("a", 0.5)])!.Answer);

    [Fact]
    public void A_temperature_of_zero_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SoftmaxVote.Of([("a", 0.5)], 0));

    [Fact]
    public void A_pool_too_small_to_learn_from_keeps_the_default() =>
        Assert.Equal(SoftmaxVote.DefaultTemperature, SoftmaxVote.LearnTemperature(Index(Row(1, "card")), 5));

    [Fact]
    public void Mislabelled_near_duplicates_teach_a_higher_temperature()
    {
        // The nearest neighbour is always wrong, the ten behind it are right: only a warm vote gets it.
        var clean = Index(Enumerable.Range(0, 400).Select(i => Row(i, $"topic{i / 2} unique{i / 2} words{i / 2}", $"{i / 2}")));
        var noisy = Index(Enumerable.Range(0, 400).Select(i => Row(
            i, $"topic{i / 20} common{i / 20} theme{i / 20} detail{i / 2}",
            i % 2 == 0 ? $"{i / 20}" : (i / 2 % 5 == 0 ? "wrong" : $"{i / 20}"))));

        Assert.True(SoftmaxVote.LearnTemperature(noisy, 15) >= SoftmaxVote.LearnTemperature(clean, 15));
        Assert.Equal(SoftmaxVote.LearnTemperature(noisy, 15), SoftmaxVote.LearnTemperature(noisy, 15));
    }
}
