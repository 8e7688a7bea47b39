namespace Flywheel.Core.Retrieval;

/// <summary>
/// A chosen row, ready to be compared with others by their 8-bit vectors: cosines within 0.01, enough to tell a repetition.
/// </summary>
internal sealed unsafe class RedundancyMeter
{
    private readonly sbyte[] _bytes;
    private readonly short[] _words;
    private readonly int _offset;
    private readonly float _scale;

    public RedundancyMeter(Candidate row)
    {
        var high = row.Segment.HighOf(row.Row);
        _bytes = new sbyte[high.Length];
        _words = new short[high.Length];
        _scale = row.Segment.Scale[row.Row];
        for (var i = 0; i < high.Length; i++)
        {
            var value = high[i] - QuantisedVector.Zero;
            _bytes[i] = (sbyte)value;
            _words[i] = (short)value;
            _offset += QuantisedVector.Zero * value;
        }
    }

    /// <summary>In [0, 1]; opposite rows are as little of a repetition as unrelated ones.</summary>
    public double Cosine(Candidate other)
    {
        int dot;
        fixed (sbyte* bytes = _bytes)
        fixed (short* words = _words)
        fixed (byte* row = other.Segment.HighOf(other.Row))
            ScanKernel.Dots(row, 1, new(bytes, words, _bytes.Length, _offset), &dot);
        return Math.Clamp((double)dot * _scale * other.Segment.Scale[other.Row], 0, 1);
    }
}
