using System.Diagnostics;
using System.Text.Json.Nodes;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;

namespace Flywheel.Bench.Retrieval;

/// <summary>Accuracy against labels spent: the product's choice of what to review beside a random one, same seeds.</summary>
/// <remarks>
/// The training rows are the traffic, in an order drawn by the seed; the labels of the rows chosen are revealed and
/// become demonstrations, and so on to the next budget. No labels: nothing to vote, nothing right.
/// </remarks>
internal static class ReviewCurve
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static JsonNode Run(string set, int seeds, bool check = false)
    {
        var (train, test) = IntentData.Named(set);
        int[] budgets = check ? [0, 25] : train.Count > 5_000
            ? [0, 200, 500, 1_000, 2_000, train.Count] : [0, 25, 50, 100, 200, 400, train.Count];
        Console.Error.WriteLine($"{set}: {train.Count} rows of traffic, {test.Count} test rows, {seeds} seeds, default policy, k=8");
        Console.Error.WriteLine($"{"labels spent",-18}{string.Concat(budgets.Select(b => $"{b,9}"))}");
        var random = Curve(train, test, budgets, seeds, (candidates, _, count, seed) =>
        {
            var ids = candidates.Select(c => c.Id).ToArray();
            new Random(seed * 7_919 + ids.Length).Shuffle(ids);
            return ids.Take(count);
        });
        Show("random", random.Accuracy);
        var chosen = Curve(train, test, budgets, seeds, (candidates, index, count, seed) =>
            ReviewSelection.Choose(candidates, index, count, seed, CancellationToken.None).Select(p => p.Id));
        Show("product's choice", chosen.Accuracy);
        Console.Error.WriteLine($"slowest choice {chosen.Slowest.TotalSeconds:f1} s");
        return new JsonObject
        {
            ["set"] = set,
            ["seeds"] = seeds,
            ["labels"] = new JsonArray([.. budgets.Select(b => (JsonNode)b)]),
            ["random"] = new JsonArray([.. random.Accuracy.Select(a => (JsonNode)a)]),
            ["product"] = new JsonArray([.. chosen.Accuracy.Select(a => (JsonNode)a)]),
            ["slowest_choice_s"] = chosen.Slowest.TotalSeconds,
        };
    }

    private static (double[] Accuracy, TimeSpan Slowest) Curve(
        List<Row> train, List<Row> test, int[] budgets, int seeds,
        Func<ReviewCandidate[], DemonstrationIndex, int, int, IEnumerable<Guid>> choose)
    {
        var embedder = new LexicalEmbedder();
        var accuracy = new double[budgets.Length];
        var slowest = TimeSpan.Zero;
        for (var seed = 0; seed < seeds; seed++)
        {
            var traffic = train.ToArray();
            new Random(seed).Shuffle(traffic);
            var lexicon = new Lexicon();
            foreach (var row in traffic)
                lexicon.Add(row.Text);
            var waiting = traffic
                .Select((row, i) => (Row: row, Item: new ReviewCandidate(
                    new Guid(i, 0, 0, new byte[8]), embedder.EmbedDocument(row.Text), embedder.EmbedQuery(row.Text, lexicon))))
                .ToDictionary(w => w.Item.Id);
            var index = new DemonstrationIndex(embedder.Fingerprint, embedder.Dimensions);
            for (var b = 0; b < budgets.Length; b++)
            {
                var clock = Stopwatch.StartNew();
                var picks = choose([.. waiting.Values.Select(w => w.Item)], index, budgets[b] - index.Count, seed).ToList();
                slowest = clock.Elapsed > slowest ? clock.Elapsed : slowest;
                foreach (var id in picks)
                {
                    waiting.Remove(id, out var picked);
                    index.Upsert(new(id, picked.Row.Text, picked.Row.Intent, false, Noon, 0, null, picked.Item.Vector));
                }

                accuracy[b] += 100.0 * Right(index, embedder, test) / test.Count / seeds;
            }
        }

        return (accuracy, slowest);
    }

    private static int Right(DemonstrationIndex index, LexicalEmbedder embedder, List<Row> test)
    {
        var right = 0;
        Parallel.ForEach(test, new ParallelOptions { MaxDegreeOfParallelism = 2 }, row =>
        {
            var query = new RetrievalQuery(row.Text, embedder.EmbedQuery(row.Text, index.Lexicon), Noon.AddDays(1));
            var chosen = index.Retrieve(query, RetrievalPolicy.Default).Chosen;
            if (SoftmaxVote.Of(chosen.Select(d => (d.Answer, d.Parts.Similarity)))?.Answer == row.Intent)
                Interlocked.Increment(ref right);
        });
        return right;
    }

    private static void Show(string name, double[] accuracy) =>
        Console.Error.WriteLine($"{name,-18}{string.Concat(accuracy.Select(a => $"{a,9:f2}"))}");
}
