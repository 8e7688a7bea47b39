using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Models;

/// <summary>Half meaning, half wording: both vectors side by side, so that the inner product is their mean similarity.</summary>
/// <remarks>
/// On two public intent sets the pair beats either half by 2 to 5 points (docs/decisions/0004-embeddings.md). The
/// lexical half of a query uses the lexicon's document frequencies. Where one half is the zero vector (no letter or
/// digit in the text), the other carries the whole length.
/// </remarks>
public sealed class HybridEmbedder : IEmbedder
{
    private readonly IEmbedder _meaning;
    private readonly LexicalEmbedder _wording;

    /// <param name="meaning">The dense half, usually <see cref="UseLite.UseLiteEmbedder"/>.</param>
    public HybridEmbedder(IEmbedder meaning, LexicalEmbedder wording)
    {
        ArgumentNullException.ThrowIfNull(meaning);
        ArgumentNullException.ThrowIfNull(wording);
        (_meaning, _wording) = (meaning, wording);
        Dimensions = meaning.Dimensions + wording.Dimensions;
        Fingerprint = $"hybrid/1;w=0.5({meaning.Fingerprint})+0.5({wording.Fingerprint})";
    }

    public string Fingerprint { get; }

    public int Dimensions { get; }

    public async ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var meaning = await _meaning.EmbedDocumentsAsync(texts, ct);
        var wording = await _wording.EmbedDocumentsAsync(texts, ct);
        var vectors = new float[texts.Count][];
        for (var i = 0; i < vectors.Length; i++)
            vectors[i] = Join(meaning[i], wording[i]);
        return vectors;
    }

    public async ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct) =>
        Join(await _meaning.EmbedQueryAsync(text, lexicon, ct), _wording.EmbedQuery(text, lexicon));

    private static float[] Join(float[] meaning, float[] wording)
    {
        float[] joined = [.. meaning, .. wording];
        VectorMath.Normalise(joined);
        return joined;
    }
}
