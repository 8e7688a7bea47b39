using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>Gives approved demonstrations their vectors, whoever approved them and however.</summary>
public sealed class DemonstrationEmbedding(IDemonstrationStore store, IEmbedder embedder, TimeProvider clock)
{
    const int AtOnce = 256;

    /// <summary>Embeds what has no vector of the present embedder yet.</summary>
    /// <returns>How many were embedded.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var total = 0;
        while (true)
        {
            var waiting = await store.WithoutVectorAsync(embedder.Fingerprint, AtOnce, ct);
            if (waiting.Count == 0)
                return total;
            var vectors = await embedder.EmbedDocumentsAsync([.. waiting.Select(each => each.Input)], ct);
            await store.PutVectorsAsync(
                [.. waiting.Zip(vectors, (each, vector) => (each.Project, each.Id, Quantise(embedder.Fingerprint, vector)))],
                clock.GetUtcNow(), ct);
            total += waiting.Count;
        }
    }

    /// <summary>One signed byte a coordinate, scaled by the largest.</summary>
    public static StoredVector Quantise(string fingerprint, float[] vector)
    {
        var largest = 0f;
        foreach (var value in vector)
            largest = Math.Max(largest, Math.Abs(value));
        var scale = largest == 0 ? 1 : largest / 127;
        var values = new sbyte[vector.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (sbyte)MathF.Round(vector[i] / scale);
        return new StoredVector(fingerprint, scale, values);
    }
}
