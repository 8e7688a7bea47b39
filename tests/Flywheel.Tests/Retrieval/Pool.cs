using Flywheel.Core.Retrieval;

namespace Flywheel.Tests.Retrieval;

/// <summary>Short ways to make demonstrations and ask for them.</summary>
internal static class Pool
{
    public static DateTimeOffset Noon { get; } = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static LexicalEmbedder Embedder { get; } = new();

    /// <summary>Relevance alone decides: no support, diversity, coverage or per-user limit.</summary>
    public static RetrievalPolicy Plain { get; } = RetrievalPolicy.Default with
    {
        SupportWeight = 0, DiversityWeight = 0, CoverageWeight = 0, MaximumPerEndUser = null,
    };

    public static Guid Id(int number) => new(number, 0, 0, new byte[8]);

    public static IndexedDemonstration Row(
        int number, string text, string answer = "yes", bool isFixed = false, TimeSpan age = default, double disagreement = 0,
        string? endUser = null) =>
        new(Id(number), text, answer, isFixed, Noon - age, disagreement, endUser, Embedder.EmbedDocument(text));

    public static DemonstrationIndex Index(params IEnumerable<IndexedDemonstration> rows)
    {
        var index = new DemonstrationIndex(Embedder.Fingerprint, Embedder.Dimensions);
        foreach (var row in rows)
            index.Upsert(row);
        return index;
    }

    public static RetrievalResult Ask(this DemonstrationIndex index, string text, RetrievalPolicy policy) =>
        index.Retrieve(new(text, Embedder.EmbedQuery(text, index.Lexicon), Noon), policy);

    public static int[] Numbers(this RetrievalResult result) =>
        [.. result.Chosen.Select(chosen => BitConverter.ToInt32(chosen.Id.ToByteArray()))];

    /// <summary>A unit vector of random direction.</summary>
    public static float[] Direction(Random random, int dimensions)
    {
        var vector = new float[dimensions];
        for (var i = 0; i < dimensions; i++)
            vector[i] = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
        var length = Math.Sqrt(vector.Sum(x => (double)x * x));
        return [.. vector.Select(x => (float)(x / length))];
    }

    public static double Dot(float[] a, float[] b) => a.Zip(b, (x, y) => (double)x * y).Sum();
}
