using Flywheel.Core.Retrieval;

namespace Flywheel.Bench.Retrieval;

/// <summary>Rows and queries to measure with; queries are never among the rows.</summary>
internal sealed record SpeedData(float[][] Rows, float[][] Queries)
{
    public const int Dimensions = 512;

    public static SpeedData Named(string name, int rows, int queries) => name switch
    {
        "spread" => Spread(rows, queries),
        "narrow" => Narrow(rows, queries),
        "texts" => Texts(rows, queries),
        "alike" => Alike(rows, queries),
        _ => throw new ArgumentException($"No data is called {name}: spread, narrow, texts or alike."),
    };

    /// <summary>200 clusters, within which every dimension is noise: nothing for a graph or a partition to hold on to.</summary>
    private static SpeedData Spread(int rows, int queries)
    {
        var random = new Random(7);
        var centres = Enumerable.Range(0, 200).Select(_ => Direction(random)).ToArray();
        return new([.. Many(rows, Near)], [.. Many(queries, Near)]);

        float[] Near() => Sum(centres[random.Next(centres.Length)], 0.7f, Direction(random), 0.714f);
    }

    /// <summary>
    /// 1,000 clusters, some larger, in 48 directions of falling weight with a little noise: as embeddings of a model lie.
    /// </summary>
    private static SpeedData Narrow(int rows, int queries)
    {
        const int latent = 48;
        var random = new Random(7);
        var basis = Enumerable.Range(0, latent).Select(_ => Direction(random)).ToArray();
        var weights = Enumerable.Range(0, latent).Select(k => 1 / Math.Sqrt(1 + k / 6.0)).ToArray();
        var centres = Enumerable.Range(0, 1_000).Select(_ => weights.Select(w => w * Gauss(random)).ToArray()).ToArray();
        return new([.. Many(rows, Near)], [.. Many(queries, Near)]);

        float[] Near()
        {
            var centre = centres[(int)(Math.Pow(random.NextDouble(), 1.6) * centres.Length)];
            var vector = new float[Dimensions];
            for (var k = 0; k < latent; k++)
                vector = Sum(vector, 1, basis[k], (float)(centre[k] + 0.55 * weights[k] * Gauss(random)), unit: false);
            return Sum(vector, 1, Direction(random), 0.02f * MathF.Sqrt(Dimensions));
        }
    }

    /// <summary>Real messages of users as the lexical embedder sees them; training rows and, as queries, test rows.</summary>
    private static SpeedData Texts(int rows, int queries)
    {
        var sets = new[] { "banking77", "clinc150", "bitext", "dstc11" }.Select(IntentData.Named).ToList();
        var random = new Random(7);
        var texts = sets.SelectMany(set => set.Train).Select(row => row.Text).Distinct().ToArray();
        var asked = sets.SelectMany(set => set.Test).Select(row => row.Text).Except(texts).ToArray();
        random.Shuffle(texts);
        random.Shuffle(asked);
        if (texts.Length < rows)
            throw new ArgumentException($"There are {texts.Length} texts, fewer than {rows}.");
        return Embedded(texts[..rows], [.. asked.Take(queries)]);
    }

    /// <summary>
    /// Texts of twelve words out of 720, and questions that are no more like one of them than like another: the worst case.
    /// </summary>
    private static SpeedData Alike(int rows, int queries)
    {
        var words = "invoice charge refund card account month payment transfer late twice wrong amount bank open close order cancel ship return change".Split(' ');
        var random = new Random(7);
        return Embedded(
            [.. Enumerable.Range(0, rows).Select(_ => Text(12, word => word + random.Next(40)))],
            [.. Enumerable.Range(0, queries).Select(i => $"Client {i} asks about {Text(6, word => word)} and when the money comes back.")]);

        string Text(int count, Func<string, string> form) =>
            string.Join(' ', Enumerable.Range(0, count).Select(_ => form(words[random.Next(words.Length)])));
    }

    private static SpeedData Embedded(string[] texts, string[] asked)
    {
        var embedder = new LexicalEmbedder(Dimensions);
        // Queries are weighted by how rare words are in the index.
        var index = new DemonstrationIndex(embedder.Fingerprint, Dimensions);
        var vectors = texts.Select(embedder.EmbedDocument).ToArray();
        for (var i = 0; i < texts.Length; i++)
            index.Upsert(new(new Guid(i, 0, 0, new byte[8]), texts[i], "", false, DateTimeOffset.UnixEpoch, 0, null, vectors[i]));
        return new(vectors, [.. asked.Select(text => embedder.EmbedQuery(text, index.Lexicon))]);
    }

    private static IEnumerable<float[]> Many(int count, Func<float[]> one) => Enumerable.Range(0, count).Select(_ => one());

    private static float[] Direction(Random random)
    {
        var vector = new float[Dimensions];
        for (var i = 0; i < vector.Length; i++)
            vector[i] = (float)Gauss(random);
        return Sum(vector, 1, vector, 0);
    }

    private static float[] Sum(float[] a, float ofA, float[] b, float ofB, bool unit = true)
    {
        var sum = new float[a.Length];
        double squares = 0;
        for (var i = 0; i < sum.Length; i++)
        {
            sum[i] = ofA * a[i] + ofB * b[i];
            squares += sum[i] * sum[i];
        }

        var factor = unit ? (float)(1 / Math.Sqrt(squares)) : 1;
        for (var i = 0; i < sum.Length; i++)
            sum[i] *= factor;
        return sum;
    }

    private static double Gauss(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
