namespace Flywheel.Core.Retrieval;

/// <summary>Vectors in 8 bits a dimension, one behind another, compared with one other at a time.</summary>
internal sealed unsafe class VectorBlock
{
    private readonly byte[] _high;
    private readonly float[] _scales;
    private readonly int _stride;

    public VectorBlock(IReadOnlyList<float[]> vectors)
    {
        _stride = QuantisedVector.Padded(vectors.Count == 0 ? 0 : vectors[0].Length);
        _high = new byte[(long)vectors.Count * _stride];
        _scales = new float[vectors.Count];
        var low = new byte[_stride];
        for (var i = 0; i < vectors.Count; i++)
            _scales[i] = QuantisedVector.Write(vectors[i], _high.AsSpan(i * _stride, _stride), low);
    }

    /// <summary>Cosine, to within 0.01, of each vector with this one.</summary>
    public void Cosines(ReadOnlySpan<float> vector, Span<float> cosines)
    {
        var bytes = stackalloc sbyte[_stride];
        var words = stackalloc short[_stride];
        var query = ScanQuery.From(vector, bytes, words, _stride, out var scale);
        var dots = new int[_scales.Length];
        fixed (byte* rows = _high)
        fixed (int* into = dots)
            ScanKernel.Dots(rows, dots.Length, query, into);
        for (var i = 0; i < dots.Length; i++)
            cosines[i] = dots[i] * scale * _scales[i];
    }
}
