using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Tests.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Review;

public class ReviewSelectionTests
{
    [Fact]
    public void Each_topic_gets_a_pick_before_any_gets_a_second_and_the_busiest_comes_first()
    {
        string[] topics = ["card lost yesterday", "annual fee charged twice", "opening hours sunday", "change delivery address"];
        var candidates = topics.SelectMany((topic, t) => Enumerable.Range(0, 10 * (t + 1)).Select(i => Item(100 * t + i, $"{topic} {i}")))
            .ToList();

        var picks = Choose(candidates, null, 4);

        Assert.Equal([3, 2, 1, 0], picks.Select(p => Number(p.Id) / 100));
        Assert.Equal(picks.Select(p => p.Score).OrderDescending(), picks.Select(p => p.Score));
        Assert.All(picks, p => Assert.Equal(Informativeness.Novel, p.Reason));
    }

    [Fact]
    public void What_is_approved_already_is_not_asked_about_again()
    {
        var candidates = Enumerable.Range(0, 30).Select(i => Item(i, $"card lost {i % 3}"))
            .Append(Item(500, "annual fee charged twice")).ToList();
        var index = Index(Enumerable.Range(0, 3).Select(i => Row(i, $"card lost {i}", "card")));

        var pick = Assert.Single(Choose(candidates, index, 1));

        Assert.Equal(500, Number(pick.Id));
        Assert.StartsWith("unlike anything approved so far", pick.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_examples_disagree_comes_before_where_they_agree()
    {
        var index = Index(
            Row(1000, "card lost abroad", "block"), Row(1001, "card lost abroad", "replace"), Row(1002, "card lost abroad", "travel"),
            Row(1003, "fee charged abroad", "fee"), Row(1004, "fee charged abroad", "fee"), Row(1005, "fee charged abroad", "fee"));
        var candidates = Enumerable.Range(0, 10)
            .SelectMany(i => new[] { Item(i, $"card lost abroad x{i}"), Item(100 + i, $"fee charged abroad x{i}") }).ToList();

        var pick = Choose(candidates, index, 1)[0];

        Assert.True(Number(pick.Id) < 100);
        Assert.Equal(Informativeness.Disagreement, pick.Reason);
        Assert.StartsWith("the examples disagree", pick.Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_seeds_choose_alike_and_no_item_twice()
    {
        var candidates = SharedIntents.Read("intents_banking77/train.csv").Take(2_500).Select((row, i) => Item(i, row.Text)).ToList();

        var once = Choose(candidates, null, 300, seed: 3);
        var again = Choose(candidates, null, 300, seed: 3);

        Assert.Equal(once, again);
        Assert.Equal(300, once.Select(p => p.Id).Distinct().Count());
    }

    [Fact]
    public void There_are_never_more_picks_than_candidates_or_budget()
    {
        Assert.Empty(Choose([], null, 5));
        Assert.Empty(Choose([Item(1, "card")], null, 0));
        Assert.Equal(2, Choose([Item(1, "card"), Item(2, "card")], null, 5).Count);
        Assert.Single(Choose([Item(1, "")], null, 5));
    }

    [Theory]
    [InlineData("intents_banking77", 200)]
    [InlineData("intents_banking77", 600)]
    [InlineData("intents_bitext_support", 60)]
    public void Labels_spent_on_its_choice_teach_more_than_labels_spent_at_random(string set, int budget)
    {
        var rows = SharedIntents.Read(set == "intents_banking77" ? "intents_banking77/train.csv" : "intents_bitext_support/support.csv");
        double chosen = 0, random = 0;
        for (var seed = 0; seed < 3; seed++)
        {
            var order = rows.ToArray();
            new Random(seed).Shuffle(order);
            var test = order[..400];
            var traffic = order[400..Math.Min(order.Length, 4_400)];
            var items = traffic.Select((row, i) => Item(i, row.Text)).ToList();

            var half = Choose(items, null, budget / 2, seed).Select(p => Number(p.Id)).ToHashSet();
            var index = Index(half.Select(i => Row(i, traffic[i].Text, traffic[i].Intent)));
            foreach (var pick in Choose([.. items.Where(i => !half.Contains(Number(i.Id)))], index, budget - half.Count, seed))
                index.Upsert(Row(Number(pick.Id), traffic[Number(pick.Id)].Text, traffic[Number(pick.Id)].Intent));

            chosen += Accuracy(index, test);
            random += Accuracy(Index(Enumerable.Range(0, budget).Select(i => Row(i, traffic[i].Text, traffic[i].Intent))), test);
        }

        Assert.True(chosen > random, $"chosen {chosen / 3:p1}, random {random / 3:p1}");
    }

    private static double Accuracy(DemonstrationIndex index, (string Text, string Intent)[] test) =>
        test.Count(row => SoftmaxVote.Of(
            index.Ask(row.Text, RetrievalPolicy.Default).Chosen.Select(c => (c.Answer, c.Parts.Similarity)))?.Answer == row.Intent)
        / (double)test.Length;

    private static IReadOnlyList<InformativeItem> Choose(
        IReadOnlyList<ReviewCandidate> candidates, DemonstrationIndex? index, int budget, int seed = 1) =>
        ReviewSelection.Choose(candidates, index, budget, seed, TestContext.Current.CancellationToken);

    private static ReviewCandidate Item(int number, string text) => new(Id(number), Embedder.EmbedDocument(text));

    private static int Number(Guid id) => BitConverter.ToInt32(id.ToByteArray());
}
