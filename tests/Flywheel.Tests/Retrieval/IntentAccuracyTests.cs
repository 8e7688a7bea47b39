using Flywheel.Core.Retrieval;
using static Flywheel.Tests.Retrieval.Pool;

namespace Flywheel.Tests.Retrieval;

public class IntentAccuracyTests
{
    [Fact]
    public void With_every_training_row_approved_banking77_is_answered_right_by_five_examples()
    {
        var index = Index(SharedIntents.Read("intents_banking77/train.csv").Select((row, i) => Row(i, row.Text, row.Intent)));
        var test = SharedIntents.Read("intents_banking77/test.csv");

        var right = test.Count(row => SoftmaxVote.Of(
            index.Ask(row.Text, RetrievalPolicy.Default with { Count = 5 })
                .Chosen.Select(c => (c.Answer, c.Parts.Similarity)))?.Answer == row.Intent);

        Assert.InRange((double)right / test.Count, 0.865, 1);
    }
}
