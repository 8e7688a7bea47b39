using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Offline;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Models;

/// <summary>Banking77 (PolyAI, CC BY 4.0): 10,003 training rows, 1,515 test rows.</summary>
[Trait("cat", "slow")]
public sealed class HybridAccuracyTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_lexical_embedder_names_the_intent_of_six_in_seven()
    {
        var train = SharedData.Rows("intents_banking77", "train.csv");
        var test = SharedData.Rows("intents_banking77", "test.csv");

        var lexical = await AccuracyAsync(new LexicalEmbedder(), LexiconOf(train), train, test);

        Assert.True(lexical >= 0.88, $"lexical {lexical:p2}");
    }

    [Fact]
    public async Task The_hybrid_names_the_intent_of_nine_in_ten_and_beats_the_lexical_embedder()
    {
        var train = SharedData.Rows("intents_banking77", "train.csv");
        var test = SharedData.Rows("intents_banking77", "test.csv");
        var lexicon = LexiconOf(train);

        var lexical = await AccuracyAsync(new LexicalEmbedder(), lexicon, train, test);
        var hybrid = await AccuracyAsync(
            new HybridEmbedder(await InstalledModels.UseLiteAsync(), new LexicalEmbedder()), lexicon, train, test);

        Assert.True(hybrid >= 0.89, $"hybrid {hybrid:p2}");
        Assert.True(hybrid > lexical + 0.02, $"hybrid {hybrid:p2}, lexical {lexical:p2}");
    }

    [Fact]
    public async Task The_offline_model_answers_a_prompt_of_its_nearest_examples_as_well()
    {
        var train = SharedData.Rows("intents_banking77", "train.csv");
        var test = SharedData.Rows("intents_banking77", "test.csv").Where((_, i) => i % 5 == 0).ToList();
        var lexicon = LexiconOf(train);
        var embedder = new LexicalEmbedder();
        using var client = new OfflineChatClient(embedder, lexicon);
        var system = "Options:\n" + string.Join('\n', train.Select(row => "- " + row.Label).Distinct());
        var vectors = train.ConvertAll(row => embedder.EmbedDocument(row.Text));

        int with = 0, without = 0;
        foreach (var (text, label) in test)
        {
            var shots = Nearest(embedder.EmbedQuery(text, lexicon), vectors, 8)
                .SelectMany(near => new ChatMessage[] { new(ChatRole.User, train[near.Row].Text),
                    new(ChatRole.Assistant, train[near.Row].Label) });
            ChatMessage[] question = [new(ChatRole.System, system), new(ChatRole.User, text)];
            without += (await client.GetResponseAsync(question, cancellationToken: Ct)).Text == label ? 1 : 0;
            with += (await client.GetResponseAsync([question[0], .. shots, question[1]], cancellationToken: Ct)).Text == label ? 1 : 0;
        }

        TestContext.Current.SendDiagnosticMessage($"of {test.Count}: {with} with examples, {without} without");
        Assert.InRange((double)without / test.Count, 0.25, 0.6);
        Assert.True(with >= 0.8 * test.Count, $"{with} of {test.Count}");
    }

    private static Lexicon LexiconOf(List<(string Text, string Label)> rows)
    {
        var lexicon = new Lexicon();
        foreach (var (text, _) in rows)
            lexicon.Add(text);
        return lexicon;
    }

    private static async Task<double> AccuracyAsync(
        IEmbedder embedder, Lexicon lexicon, List<(string Text, string Label)> train, List<(string Text, string Label)> test)
    {
        var vectors = await embedder.EmbedDocumentsAsync(train.ConvertAll(row => row.Text), Ct);
        var queries = new float[test.Count][];
        for (var i = 0; i < queries.Length; i++)
            queries[i] = await embedder.EmbedQueryAsync(test[i].Text, lexicon, Ct);
        var right = 0;
        foreach (var (nearest, row) in Nearest(queries, vectors, 10).Zip(test))
            right += SoftmaxVote.Of(nearest.Select(near => (train[near.Row].Label, near.Similarity)))!.Answer == row.Label ? 1 : 0;

        return (double)right / test.Count;
    }

    private static IEnumerable<(int Row, double Similarity)> Nearest(float[] query, IReadOnlyList<float[]> vectors, int count) =>
        Nearest([query], vectors, count).Single();

    /// <summary>Block by block, so that the vectors are read from the cache.</summary>
    private static IEnumerable<IEnumerable<(int Row, double Similarity)>> Nearest(
        float[][] queries, IReadOnlyList<float[]> vectors, int count)
    {
        const int Block = 128;
        var nearest = Array.ConvertAll(queries, _ => new PriorityQueue<int, float>());
        for (var first = 0; first < vectors.Count; first += Block)
            for (var query = 0; query < queries.Length; query++)
                for (var row = first; row < Math.Min(first + Block, vectors.Count); row++)
                {
                    var similarity = Dot(queries[query], vectors[row]);
                    if (nearest[query].Count < count)
                        nearest[query].Enqueue(row, similarity);
                    else
                        nearest[query].EnqueueDequeue(row, similarity);
                }

        return nearest.Select(each => each.UnorderedItems.Select(item => (item.Element, (double)item.Priority)));
    }

    private static float Dot(float[] a, float[] b)
    {
        var sum = System.Numerics.Vector<float>.Zero;
        for (var i = 0; i < a.Length; i += System.Numerics.Vector<float>.Count)
            sum += new System.Numerics.Vector<float>(a, i) * new System.Numerics.Vector<float>(b, i);
        return System.Numerics.Vector.Sum(sum);
    }
}
