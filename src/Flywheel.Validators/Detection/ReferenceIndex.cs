using Flywheel.Core.Retrieval;
using Flywheel.Core.Statistics;

namespace Flywheel.Validators.Detection;

/// <param name="Value">Higher is nearer.</param>
/// <param name="Nearest">Row that stands for what is near; negative when there is none.</param>
readonly record struct Nearness(double Value, int Nearest);

/// <summary>Known texts as vectors, and how near to the others each of them is: what nearness is ordinary.</summary>
/// <remarks>
/// Calibration compares a known text with the others, as a new one is compared with all. Rows that stand next to each other are
/// often by one hand or about one matter, nearer to each other than a new text will be to any: so a row's neighbours in the
/// file are left out too, as in h-block cross-validation (Burman, Chow and Nolan, Biometrika 1994). Of more than
/// <see cref="MaxCalibration"/> texts, evenly spaced ones calibrate.
/// </remarks>
sealed class ReferenceIndex
{
    public const int MaxCalibration = 2_000;

    // Rows left out on either side: at most so many, and no more than a hundredth of all.
    const int MaxBlock = 15;
    const int BlockShare = 100;

    readonly IEmbedder _embedder;
    readonly Lexicon _lexicon = new();
    readonly NearestVectors _vectors;
    readonly int _neighbours;
    readonly Func<NearestRow[], Nearness> _measure;

    ReferenceIndex(IEmbedder embedder, NearestVectors vectors, int neighbours, Func<NearestRow[], Nearness> measure) =>
        (_embedder, _vectors, _neighbours, _measure) = (embedder, vectors, neighbours, measure);

    /// <summary>Of strangeness, that is minus the nearness.</summary>
    public ConformalCalibration Calibration { get; private set; } = new([]);

    public int Count => _vectors.Count;

    /// <param name="neighbours">How many of the nearest are measured.</param>
    /// <param name="calibration">Ordinary texts apart from the known ones, which calibrate better than those; null for none.</param>
    public static async Task<ReferenceIndex> BuildAsync(
        IEmbedder embedder, IReadOnlyList<string> texts, int neighbours, Func<NearestRow[], Nearness> measure,
        IReadOnlyList<string>? calibration)
    {
        var index = new ReferenceIndex(embedder, new(await embedder.EmbedDocumentsAsync(texts, default)), neighbours, measure);
        foreach (var text in texts)
            index._lexicon.Add(text);
        var scores = new List<double>();
        if (calibration is not null)
            foreach (var text in calibration)
                scores.Add(-(await index.NearnessAsync(text, default)).Value);
        else
        {
            var block = Math.Min(MaxBlock, texts.Count / BlockShare);
            for (var at = 0.0; (int)at < texts.Count; at += Math.Max(1, (double)texts.Count / MaxCalibration))
            {
                var row = (int)at;
                scores.Add(-(await index.NearnessAsync(texts[row], (row - block, row + block + 1), default)).Value);
            }
        }
        index.Calibration = new(scores);
        return index;
    }

    public ValueTask<Nearness> NearnessAsync(string text, CancellationToken ct) => NearnessAsync(text, default, ct);

    async ValueTask<Nearness> NearnessAsync(string text, (int From, int To) except, CancellationToken ct) =>
        _measure(_vectors.Find(await _embedder.EmbedQueryAsync(text, _lexicon, ct), _neighbours, except));

    /// <summary>Mean similarity, the nearest counting whole, the next half, the third a third ...</summary>
    public static Nearness RankedMean(NearestRow[] found)
    {
        double sum = 0, weights = 0;
        for (var i = 0; i < found.Length; i++)
        {
            sum += found[i].Similarity / (i + 1.0);
            weights += 1 / (i + 1.0);
        }
        return found.Length == 0 ? new(0, -1) : new(sum / weights, found[0].Row);
    }
}
