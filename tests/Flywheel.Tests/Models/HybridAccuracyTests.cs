using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Offline;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Models;

/// <summary>Banking77 (PolyAI, CC BY 4.0): 10,003 training rows vote on 1,515 test rows.</summary>
[Trait("cat", "slow")]
public sealed class HybridAccuracyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_hybrid_names_the_intent_of_nine_in_ten_and_beats_the_lexical_embedder()
    {
        var train = SharedData.Rows("intents_banking77", "train.csv");
        var test = SharedData.Rows("intents_banking77", "test.csv");
        var lexicon = new Lexicon();
        foreach (var (text, _) in train)
            lexicon.Add(text);

        var lexical = await AccuracyAsync(new LexicalEmbedder(), lexicon, train, test);
        var hybrid = await AccuracyAsync(new HybridEmbedder(await InstalledModels.UseLiteAsync(), new LexicalEmbedder()), lexicon, train, test);

        TestContext.Current.SendDiagnosticMessage($"lexical {lexical:p2}, hybrid {hybrid:p2}");
        Assert.True(lexical >= 0.855, $"lexical {lexical:p2}");
        Assert.True(hybrid >= 0.89, $"hybrid {hybrid:p2}");
        Assert.True(hybrid > lexical + 0.02, $"hybrid {hybrid:p2}, lexical {lexical:p2}");
    }

    [Fact]
    public async Task The_offline_model_answers_a_prompt_of_its_nearest_examples_as_well()
    {
        var train = SharedData.Rows("intents_banking77", "train.csv");
        var test = SharedData.Rows("intents_banking77", "test.csv").Where((_, i) => i % 5 == 0).ToList();
        var lexicon = new Lexicon();
        foreach (var (text, _) in train)
            lexicon.Add(text);
        var embedder = new LexicalEmbedder();
        using var client = new OfflineChatClient(embedder, lexicon);
        var system = "Options:\n" + string.Join('\n', train.Select(row => "- " + row.Label).Distinct());
        var vectors = train.ConvertAll(row => embedder.EmbedDocument(row.Text));

        int with = 0, without = 0;
        foreach (var (text, label) in test)
        {
            var shots = Nearest(embedder.EmbedQuery(text, lexicon), vectors, 8)
                .SelectMany(near => new ChatMessage[] { new(ChatRole.User, train[near.Row].Text), new(ChatRole.Assistant, train[near.Row].Label) });
            ChatMessage[] question = [new(ChatRole.System, system), new(ChatRole.User, text)];
            without += (await client.GetResponseAsync(question, cancellationToken: Ct)).Text == label ? 1 : 0;
            with += (await client.GetResponseAsync([question[0], .. shots, question[1]], cancellationToken: Ct)).Text == label ? 1 : 0;
        }

        TestContext.Current.SendDiagnosticMessage($"of {test.Count}: {with} with examples, {without} without");
        Assert.InRange((double)without / test.Count, 0.25, 0.6);
        Assert.True(with >= 0.8 * test.Count, $"{with} of {test.Count}");
    }

    private static async Task<double> AccuracyAsync(
        IEmbedder embedder, Lexicon lexicon, List<(string Text, string Label)> train, List<(string Text, string Label)> test)
    {
        var vectors = await embedder.EmbedDocumentsAsync(train.ConvertAll(row => row.Text), Ct);
        var right = 0;
        foreach (var (text, label) in test)
        {
            var query = await embedder.EmbedQueryAsync(text, lexicon, Ct);
            var vote = SoftmaxVote.Of(Nearest(query, vectors, 10).Select(near => (train[near.Row].Label, near.Similarity)));
            right += vote!.Answer == label ? 1 : 0;
        }

        return (double)right / test.Count;
    }

    private static IEnumerable<(int Row, double Similarity)> Nearest(float[] query, IReadOnlyList<float[]> vectors, int count)
    {
        var nearest = new PriorityQueue<int, float>();
        for (var row = 0; row < vectors.Count; row++)
        {
            var similarity = Dot(query, vectors[row]);
            if (nearest.Count < count)
                nearest.Enqueue(row, similarity);
            else
                nearest.EnqueueDequeue(row, similarity);
        }

        return nearest.UnorderedItems.Select(item => (item.Element, (double)item.Priority));
    }

    private static float Dot(float[] a, float[] b)
    {
        var sum = System.Numerics.Vector<float>.Zero;
        for (var i = 0; i < a.Length; i += System.Numerics.Vector<float>.Count)
            sum += new System.Numerics.Vector<float>(a, i) * new System.Numerics.Vector<float>(b, i);
        return System.Numerics.Vector.Sum(sum);
    }
}
