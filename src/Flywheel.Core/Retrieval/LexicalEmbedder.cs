namespace Flywheel.Core.Retrieval;

/// <summary>The embedder that needs no model file: signed feature hashing of words, word pairs and characters.</summary>
/// <remarks>
/// Weinberger et al., ICML 2009. A document is the plain hashed bag of its features; only the query is weighted by
/// inverse document frequency, so stored vectors never go stale while the <see cref="Lexicon"/> learns. Similarity
/// is that of wording, not of meaning. Thread-safe, deterministic on every platform.
/// </remarks>
public sealed class LexicalEmbedder : IEmbedder
{
    public const int DefaultDimensions = 512;

    // By FeatureKind; chosen by cross-validation on training rows (bench/Flywheel.Bench.Retrieval, `accuracy`).
    private static readonly float[] KindWeight = [1.3f, 0.3f, 1.2f, 0.6f, 0.4f];

    public LexicalEmbedder(int dimensions = DefaultDimensions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 16);
        Dimensions = dimensions;
        Fingerprint = $"lexical/1;d={dimensions};word1.3+pair.3+char3-5/1.2,.6,.4;sqrt-tf;idf^.7=query";
    }

    public string Fingerprint { get; }

    public int Dimensions { get; }

    /// <summary>The unit vector of a stored text; the zero vector, similar to nothing, when it holds no letter or digit.</summary>
    public float[] EmbedDocument(string text) => Embed(text, null);

    /// <summary>The unit vector of a query; the zero vector when it holds no letter or digit.</summary>
    public float[] EmbedQuery(string text, Lexicon? lexicon) => Embed(text, lexicon);

    public ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var vectors = new float[texts.Count][];
        for (var i = 0; i < vectors.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            vectors[i] = EmbedDocument(texts[i]);
        }

        return ValueTask.FromResult(vectors);
    }

    public ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return ValueTask.FromResult(EmbedQuery(text, lexicon));
    }

    private float[] Embed(string text, Lexicon? lexicon)
    {
        ArgumentNullException.ThrowIfNull(text);
        var vector = new float[Dimensions];
        var features = TextFeatures.Of(text, out var occurrences);
        for (var i = 0; i < features.Length; i++)
        {
            var feature = features[i];
            var weight = KindWeight[(int)TextFeatures.Kind(feature)];
            if (occurrences[i] > 1)
                weight *= MathF.Sqrt(occurrences[i]);
            if (lexicon is not null)
                weight *= lexicon.Rarity(feature);
            vector[TextFeatures.Place(feature, Dimensions)] += weight * TextFeatures.Sign(feature);
        }

        Normalise(vector);
        return vector;
    }

    private static void Normalise(float[] vector)
    {
        var squares = 0.0;
        foreach (var x in vector)
            squares += (double)x * x;
        if (squares == 0)
            return;
        var factor = (float)(1 / Math.Sqrt(squares));
        for (var i = 0; i < vector.Length; i++)
            vector[i] *= factor;
    }
}
