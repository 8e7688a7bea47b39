namespace Flywheel.Core.Retrieval;

/// <summary>How many documents of one index partition hold each feature; learned as demonstrations come and go.</summary>
/// <remarks>
/// Counts are kept in 2^16 hashed buckets (256 KB, no growth); features that share a bucket share its count. One
/// writer at a time, any number of readers: a reader sees each count before or after a change, never torn.
/// </remarks>
public sealed class Lexicon
{
    private readonly int[] _documentsWith = new int[1 << 16];
    private int _documents;

    /// <summary>Documents counted in; 0 means that nothing is known and every feature weighs the same.</summary>
    public int Documents => Volatile.Read(ref _documents);

    /// <summary>Counts a document in.</summary>
    public void Add(string text) => Count(Features(text), 1);

    /// <summary>Counts a document out again: pass the very text that was added.</summary>
    public void Remove(string text) => Count(Features(text), -1);

    internal void Add(ReadOnlySpan<ulong> features) => Count(features, 1);

    /// <summary>
    /// How much a feature says: (1 + ln((n + 1) / (documents with it + 1)))^0.7, at least 1; 1 while nothing is
    /// counted. The power dampens what misspellings would otherwise outweigh; chosen by cross-validation.
    /// </summary>
    internal float Rarity(ulong feature)
    {
        var documents = Documents;
        if (documents == 0)
            return 1;
        var with = Math.Clamp(Volatile.Read(ref _documentsWith[TextFeatures.Bucket(feature)]), 0, documents);
        return MathF.Pow(1 + MathF.Log((documents + 1f) / (with + 1f)), 0.7f);
    }

    private static ReadOnlySpan<ulong> Features(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return TextFeatures.Of(text);
    }

    private void Count(ReadOnlySpan<ulong> features, int change)
    {
        Span<ulong> seen = stackalloc ulong[1 << 10];
        seen.Clear();
        foreach (var feature in features)
        {
            var bucket = TextFeatures.Bucket(feature);
            ref var word = ref seen[bucket >> 6];
            var bit = 1UL << (bucket & 63);
            if ((word & bit) != 0)
                continue;
            word |= bit;
            ref var count = ref _documentsWith[bucket];
            Volatile.Write(ref count, count + change);
        }

        Volatile.Write(ref _documents, _documents + change);
    }
}
