using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Models.Offline;

/// <summary>Remembers the vectors of texts seen lately: prompts repeat their options and examples.</summary>
/// <remarks>Two generations of 2,048 texts, so at most 16 MB at 1,024 dimensions. Thread-safe.</remarks>
internal sealed class VectorCache(IEmbedder embedder)
{
    private const int Generation = 2048;

    private readonly Lock _gate = new();
    private Dictionary<string, float[]> _young = [];
    private Dictionary<string, float[]> _old = [];

    /// <summary>The documents' vectors, in order.</summary>
    public async ValueTask<float[][]> EmbedAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        var vectors = new float[texts.Count][];
        var missing = new List<int>();
        lock (_gate)
        {
            for (var i = 0; i < vectors.Length; i++)
            {
                if (Find(texts[i]) is { } known)
                    vectors[i] = known;
                else
                    missing.Add(i);
            }
        }

        if (missing.Count == 0)
            return vectors;
        var embedded = await embedder.EmbedDocumentsAsync([.. missing.Select(i => texts[i])], ct);
        lock (_gate)
        {
            for (var i = 0; i < embedded.Length; i++)
                Keep(texts[missing[i]], vectors[missing[i]] = embedded[i]);
        }

        return vectors;
    }

    private float[]? Find(string text)
    {
        if (_young.TryGetValue(text, out var vector))
            return vector;
        if (_old.TryGetValue(text, out vector))
            Keep(text, vector);
        return vector;
    }

    private void Keep(string text, float[] vector)
    {
        if (_young.Count >= Generation)
            (_old, _young) = (_young, []);
        _young[text] = vector;
    }
}
