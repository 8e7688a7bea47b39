namespace Flywheel.Core.Retrieval;

/// <param name="Row">Place of the vector in the list that was given.</param>
/// <param name="Similarity">Cosine in [-1, 1].</param>
public readonly record struct NearestRow(int Row, float Similarity);

/// <summary>A fixed set of vectors, two bytes a dimension, and which of them are nearest to one more.</summary>
/// <remarks>
/// The scan of <see cref="DemonstrationIndex"/> without its filters: all rows by 8 bits, the best four times k again by 16.
/// Immutable and thread-safe; 15,000 rows of 512 dimensions take 15 MB.
/// </remarks>
public sealed unsafe class NearestVectors
{
    const int Block = 128;

    readonly byte[] _high;
    readonly byte[] _low;
    readonly float[] _scales;
    readonly int _stride;

    /// <param name="vectors">Unit vectors of one length.</param>
    public NearestVectors(IReadOnlyList<float[]> vectors)
    {
        ArgumentNullException.ThrowIfNull(vectors);
        _stride = QuantisedVector.Padded(vectors.Count == 0 ? 1 : vectors[0].Length);
        _high = new byte[(long)vectors.Count * _stride];
        _low = new byte[_high.LongLength];
        _scales = new float[vectors.Count];
        for (var i = 0; i < vectors.Count; i++)
        {
            if (vectors[i].Length != vectors[0].Length)
                throw new ArgumentException(
                    $"Vector {i} has {vectors[i].Length} dimensions, the first {vectors[0].Length}.", nameof(vectors));
            _scales[i] = QuantisedVector.Write(vectors[i], _high.AsSpan(i * _stride, _stride), _low.AsSpan(i * _stride, _stride));
        }
    }

    public int Count => _scales.Length;

    /// <summary>
    /// The nearest rows, nearest first; of equal ones the later row. Fewer than <paramref name="k"/> only when there are fewer.
    /// </summary>
    /// <param name="except">Rows to leave out, so that a row can be compared with the others; from inclusive, to exclusive.</param>
    public NearestRow[] Find(ReadOnlySpan<float> query, int k, (int From, int To) except = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(k, 1);
        if (Count == 0)
            return [];
        Span<float> padded = stackalloc float[_stride];
        padded.Clear();
        query.CopyTo(padded);
        var sum = 0f;
        foreach (var x in padded)
            sum += x;

        var best = new RankHeap(Math.Min(Count, 4 * k));
        Scan(query, best, except);
        var found = new List<NearestRow>(best.Count);
        foreach (var row in best.Rows)
        {
            var at = row * _stride;
            var similarity = QuantisedVector.Dot(_high.AsSpan(at, _stride), _low.AsSpan(at, _stride), _scales[row], padded, sum);
            found.Add(new(row, Math.Clamp(similarity, -1, 1)));
        }
        found.Sort((a, b) => a.Similarity != b.Similarity ? b.Similarity.CompareTo(a.Similarity) : b.Row.CompareTo(a.Row));
        return [.. found.Take(k)];
    }

    void Scan(ReadOnlySpan<float> query, RankHeap best, (int From, int To) except)
    {
        var bytes = stackalloc sbyte[_stride];
        var words = stackalloc short[_stride];
        var dots = stackalloc int[Block];
        var scan = ScanQuery.From(query, bytes, words, _stride, out var scale);
        fixed (byte* rows = _high)
        {
            for (var from = 0; from < Count; from += Block)
            {
                var count = Math.Min(Block, Count - from);
                ScanKernel.Dots(rows + (nint)from * _stride, count, scan, dots);
                for (var i = 0; i < count; i++)
                {
                    var similarity = dots[i] * scale * _scales[from + i];
                    var row = from + i;
                    if (similarity >= best.Threshold && (row < except.From || row >= except.To))
                        best.Offer(similarity, row);
                }
            }
        }
    }
}
