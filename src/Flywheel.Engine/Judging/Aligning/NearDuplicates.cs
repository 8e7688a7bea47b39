using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>Which texts are nearly the same: one of them as an example tells the answer of the other.</summary>
sealed class NearDuplicates
{
    /// <summary>Cosine from which on two texts are taken for one.</summary>
    public const double Near = 0.95;

    const int AtOnce = 64;

    readonly Dictionary<string, float[][]> _vectors;

    NearDuplicates(Dictionary<string, float[][]> vectors) => _vectors = vectors;

    /// <summary>By the wording, and by meaning where the embedder knows one.</summary>
    public static async Task<NearDuplicates> OfAsync(IEmbedder embedder, IEnumerable<string> texts, CancellationToken ct)
    {
        var distinct = texts.Distinct(StringComparer.Ordinal).ToArray();
        IEmbedder[] embedders = embedder is LexicalEmbedder ? [embedder] : [new LexicalEmbedder(), embedder];
        var vectors = distinct.ToDictionary(text => text, _ => new float[embedders.Length][], StringComparer.Ordinal);
        for (var which = 0; which < embedders.Length; which++)
            foreach (var chunk in distinct.Chunk(AtOnce))
            {
                var embedded = await embedders[which].EmbedDocumentsAsync(chunk, ct);
                for (var i = 0; i < chunk.Length; i++)
                    vectors[chunk[i]][which] = embedded[i];
            }
        return new(vectors);
    }

    /// <summary>Vector of the text under the embedder given.</summary>
    public float[] Vector(string text) => _vectors[text][^1];

    public bool Are(string one, string other) =>
        string.Equals(one, other, StringComparison.Ordinal)
        || _vectors[one].Zip(_vectors[other]).Any(pair => VectorMath.Dot(pair.First, pair.Second) > Near);
}
