using Flywheel.Core.Retrieval;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Metrics.Detection;

/// <summary>Known texts as vectors, and how near to the others each of them is: what nearness is ordinary.</summary>
/// <remarks>
/// Calibration leaves one out: a known text is compared with all others, as a new one is with all. Of more than
/// <see cref="MaxCalibration"/> texts, evenly spaced ones calibrate.
/// </remarks>
sealed class ReferenceIndex
{
    public const int MaxCalibration = 2_000;

    readonly IEmbedder _embedder;
    readonly Lexicon _lexicon = new();
    readonly NearestVectors _vectors;
    readonly int _neighbours;

    ReferenceIndex(IEmbedder embedder, NearestVectors vectors, int neighbours) => (_embedder, _vectors, _neighbours) = (embedder, vectors, neighbours);

    /// <summary>Of strangeness, that is 1 - <see cref="NearnessAsync"/>.</summary>
    public ConformalCalibration Calibration { get; private set; } = new([]);

    public int Count => _vectors.Count;

    /// <param name="neighbours">Over how many neighbours nearness is the mean.</param>
    public static async Task<ReferenceIndex> BuildAsync(IEmbedder embedder, IReadOnlyList<string> texts, int neighbours, CancellationToken ct)
    {
        var vectors = await embedder.EmbedDocumentsAsync(texts, ct);
        var index = new ReferenceIndex(embedder, new(vectors), neighbours);
        foreach (var text in texts)
            index._lexicon.Add(text);
        var step = Math.Max(1, (double)texts.Count / MaxCalibration);
        var scores = new List<double>();
        for (var at = 0.0; (int)at < texts.Count; at += step)
            scores.Add(1 - (await index.NearnessAsync(texts[(int)at], (int)at, ct)).Nearness);
        index.Calibration = new(scores);
        return index;
    }

    /// <returns>Mean cosine of the nearest texts, and the nearest of all.</returns>
    public async ValueTask<(double Nearness, int Nearest)> NearnessAsync(string text, int except = -1, CancellationToken ct = default)
    {
        var found = _vectors.Find(await _embedder.EmbedQueryAsync(text, _lexicon, ct), _neighbours, except);
        var sum = 0.0;
        foreach (var each in found)
            sum += each.Similarity;
        return found.Length == 0 ? (0, -1) : (sum / found.Length, found[0].Row);
    }
}
