using System.Globalization;
using System.Text.Json.Nodes;
using Flywheel.Core.Retrieval;

namespace Flywheel.Bench.Retrieval;

/// <summary>Does the retrieved set carry the right answer? Softmax vote of the chosen demonstrations.</summary>
internal static class Accuracy
{
    private static readonly int[] Counts = [1, 5, 8, 10, 20];
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>All training rows as demonstrations, tested once on the test rows.</summary>
    public static JsonNode Test(string set)
    {
        var (train, test) = IntentData.Named(set);
        return Show($"{set}: {train.Count} demonstrations, {test.Count} test rows",
            [("default policy", RetrievalPolicy.Default, test.Count, Score(train, test, RetrievalPolicy.Default))]);
    }

    /// <summary>What each part of the policy is worth, by three-fold cross-validation on training rows only.</summary>
    public static JsonNode CrossValidate(string set, IEnumerable<(string Name, RetrievalPolicy Policy)> policies)
    {
        var rows = IntentData.Named(set).Train.ToArray();
        new Random(5).Shuffle(rows);
        var results = new List<(string, RetrievalPolicy, int, int[])>();
        foreach (var (name, policy) in policies)
        {
            var right = new int[Counts.Length];
            for (var fold = 0; fold < 3; fold++)
            {
                var held = rows.Where((_, i) => i % 3 == fold).ToList();
                var rest = rows.Where((_, i) => i % 3 != fold).ToList();
                var scores = Score(rest, held, policy);
                for (var c = 0; c < right.Length; c++)
                    right[c] += scores[c];
            }

            results.Add((name, policy, rows.Length, right));
        }

        return Show($"{set}: 3-fold cross-validation on {rows.Length} training rows", results);
    }

    public static IEnumerable<(string, RetrievalPolicy)> Ablations()
    {
        var policy = RetrievalPolicy.Default;
        yield return ("default policy", policy);
        yield return ("similarity alone", policy with { SupportWeight = 0, DiversityWeight = 0, CoverageWeight = 0 });
        foreach (var weight in new[] { 0, 0.5, 2, 4, 8 })
            yield return (Named("support", weight), policy with { SupportWeight = weight });
        foreach (var weight in new[] { 0, 0.02, 0.1, 0.2, 0.5 })
            yield return (Named("diversity", weight), policy with { DiversityWeight = weight });
        foreach (var weight in new[] { 0, 0.02, 0.1, 0.2, 0.5 })
            yield return (Named("coverage", weight), policy with { CoverageWeight = weight });
        foreach (var exponent in new[] { 1, 2, 8 })
            yield return (Named("exponent", exponent), policy with { SimilarityExponent = exponent });
        foreach (var least in new[] { 0.1, 0.2, 0.3 })
            yield return (Named("minimum similarity", least), policy with { MinimumSimilarity = least });
    }

    public static DemonstrationIndex Index(LexicalEmbedder embedder, IEnumerable<Row> rows)
    {
        var index = new DemonstrationIndex(embedder.Fingerprint, embedder.Dimensions);
        var n = 0;
        foreach (var row in rows)
        {
            var id = new Guid(++n, 0, 0, new byte[8]);
            index.Upsert(new(id, row.Text, row.Intent, false, Noon, 0, null, embedder.EmbedDocument(row.Text)));
        }

        return index;
    }

    private static int[] Score(List<Row> train, List<Row> test, RetrievalPolicy policy)
    {
        var embedder = new LexicalEmbedder();
        var index = Index(embedder, train);
        var right = new int[Counts.Length];
        var temperatures = Counts.Select(count => SoftmaxVote.LearnTemperature(index, Math.Max(count, 2))).ToArray();
        Parallel.ForEach(test, new ParallelOptions { MaxDegreeOfParallelism = 2 }, row =>
        {
            var query = new RetrievalQuery(row.Text, embedder.EmbedQuery(row.Text, index.Lexicon), Noon.AddDays(1));
            for (var c = 0; c < Counts.Length; c++)
            {
                var chosen = index.Retrieve(query, policy with { Count = Counts[c] }).Chosen;
                var vote = SoftmaxVote.Of(chosen.Select(d => (d.Answer, d.Parts.Similarity)), temperatures[c]);
                if (vote?.Answer == row.Intent)
                    Interlocked.Increment(ref right[c]);
            }
        });
        return right;
    }

    private static JsonObject Show(string title, IEnumerable<(string Name, RetrievalPolicy Policy, int Rows, int[] Right)> results)
    {
        Console.Error.WriteLine(title);
        Console.Error.WriteLine($"{"accuracy, %",-28}{string.Concat(Counts.Select(c => $"{"k=" + c,8}"))}");
        var json = new JsonObject { ["title"] = title };
        foreach (var (name, _, rows, right) in results)
        {
            Console.Error.WriteLine($"{name,-28}{string.Concat(right.Select(r => $"{100.0 * r / rows,8:f2}"))}");
            json[name] = new JsonObject(Counts.Select((c, i) => KeyValuePair.Create($"k{c}", (JsonNode?)(100.0 * right[i] / rows))));
        }

        return json;
    }

    private static string Named(string name, double value) => $"{name} {value.ToString(CultureInfo.InvariantCulture)}";
}
