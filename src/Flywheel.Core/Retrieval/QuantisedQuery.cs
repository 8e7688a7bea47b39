namespace Flywheel.Core.Retrieval;

/// <summary>A query in 8 bits a dimension that outlives a scan.</summary>
internal sealed unsafe class QuantisedQuery
{
    private readonly sbyte[] _bytes;
    private readonly short[] _words;
    private readonly int _offset;

    /// <param name="query">Padded with zeros to the length of stored vectors.</param>
    public QuantisedQuery(float[] query)
    {
        _bytes = new sbyte[query.Length];
        _words = new short[query.Length];
        fixed (sbyte* bytes = _bytes)
        fixed (short* words = _words)
        {
            _offset = ScanQuery.From(query, bytes, words, query.Length, out var scale).Offset;
            Scale = scale;
        }
    }

    /// <summary>Multiply a product by this and the row's scale for the cosine.</summary>
    public float Scale { get; }

    /// <summary>Products with consecutive rows, see <see cref="ScanKernel"/>.</summary>
    public void Dots(byte* rows, int count, int* dots)
    {
        fixed (sbyte* bytes = _bytes)
        fixed (short* words = _words)
            ScanKernel.Dots(rows, count, new(bytes, words, _bytes.Length, _offset), dots);
    }

    public float Cosine(DemonstrationSegment segment, int row)
    {
        int dot;
        fixed (byte* high = segment.HighOf(row))
            Dots(high, 1, &dot);
        return dot * (segment.Scale[row] * Scale);
    }
}
