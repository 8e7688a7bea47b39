using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Flywheel.Bench.Retrieval;

/// <summary>The floor: 8-bit products over one contiguous array, scaled, the ten largest kept. Nothing else.</summary>
/// <remarks>Rows carry 128, so that AVX-VNNI may be used where it is; two rows at a time, as fast as this could be made.</remarks>
internal sealed unsafe class BareScan
{
    private readonly byte[] _rows;
    private readonly int _offset;
    private readonly float[] _scales;
    private readonly int _dimensions;

    public BareScan(float[][] vectors)
    {
        _dimensions = vectors[0].Length;
        if (_dimensions % 64 != 0)
            throw new ArgumentException("The bare scan takes multiples of 64 dimensions.");
        _rows = GC.AllocateUninitializedArray<byte>(vectors.Length * _dimensions + 64, pinned: true);
        fixed (byte* start = _rows)
            _offset = (int)((64 - ((nint)start & 63)) & 63);
        _scales = new float[vectors.Length];
        for (var i = 0; i < vectors.Length; i++)
        {
            var largest = vectors[i].Max(Math.Abs);
            _scales[i] = largest / 127;
            for (var d = 0; d < _dimensions; d++)
                _rows[_offset + i * _dimensions + d] = (byte)(MathF.Round(vectors[i][d] * 127 / largest) + 128);
        }
    }

    public static string Path => AvxVnni.IsSupported ? "avx-vnni" : Avx512BW.IsSupported ? "avx512bw" : Avx2.IsSupported ? "avx2" : "none";

    /// <summary>Fills the ten best positions and cosines, unordered.</summary>
    public void Top10(ReadOnlySpan<float> query, Span<int> positions, Span<float> cosines)
    {
        var words = stackalloc short[_dimensions];
        var bytes = stackalloc sbyte[_dimensions];
        var largest = 0f;
        foreach (var x in query)
            largest = Math.Max(largest, Math.Abs(x));
        var sum = 0;
        for (var d = 0; d < _dimensions; d++)
        {
            words[d] = (short)MathF.Round(query[d] * 127 / largest);
            bytes[d] = (sbyte)words[d];
            sum += words[d];
        }

        cosines.Fill(float.MinValue);
        var least = 0;
        fixed (byte* start = _rows)
        {
            var rows = start + _offset;
            for (var i = 0; i < _scales.Length; i += 2)
            {
                var pair = i + 1 < _scales.Length;
                var a = rows + (nint)i * _dimensions;
                Dots(a, pair ? a + _dimensions : a, words, bytes, out var first, out var second);
                least = Keep(i, (first - 128 * sum) * _scales[i], positions, cosines, least);
                if (pair)
                    least = Keep(i + 1, (second - 128 * sum) * _scales[i + 1], positions, cosines, least);
            }
        }

        for (var i = 0; i < 10; i++)
            cosines[i] *= largest / 127;
    }

    private static int Keep(int row, float cosine, Span<int> positions, Span<float> cosines, int least)
    {
        if (cosine <= cosines[least])
            return least;
        cosines[least] = cosine;
        positions[least] = row;
        for (var i = 0; i < 10; i++)
        {
            if (cosines[i] < cosines[least])
                least = i;
        }

        return least;
    }

    private void Dots(byte* a, byte* b, short* words, sbyte* bytes, out int first, out int second)
    {
        if (AvxVnni.IsSupported)
        {
            Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default;
            for (nint i = 0; i < _dimensions; i += 64)
            {
                var q0 = Vector256.Load(bytes + i);
                var q1 = Vector256.Load(bytes + i + 32);
                a0 = AvxVnni.MultiplyWideningAndAdd(a0, Vector256.Load(a + i), q0);
                a1 = AvxVnni.MultiplyWideningAndAdd(a1, Vector256.Load(a + i + 32), q1);
                b0 = AvxVnni.MultiplyWideningAndAdd(b0, Vector256.Load(b + i), q0);
                b1 = AvxVnni.MultiplyWideningAndAdd(b1, Vector256.Load(b + i + 32), q1);
            }

            first = Vector256.Sum(a0 + a1);
            second = Vector256.Sum(b0 + b1);
        }
        else if (Avx512BW.IsSupported)
        {
            Vector512<int> a0 = default, a1 = default, b0 = default, b1 = default;
            for (nint i = 0; i < _dimensions; i += 64)
            {
                var q0 = Vector512.Load(words + i);
                var q1 = Vector512.Load(words + i + 32);
                a0 += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load(a + i)), q0);
                b0 += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load(b + i)), q0);
                a1 += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load(a + i + 32)), q1);
                b1 += Avx512BW.MultiplyAddAdjacent(Avx512BW.ConvertToVector512Int16(Vector256.Load(b + i + 32)), q1);
            }

            first = Vector512.Sum(a0 + a1);
            second = Vector512.Sum(b0 + b1);
        }
        else
        {
            first = 0;
            second = 0;
            for (nint i = 0; i < _dimensions; i++)
            {
                first += a[i] * words[i];
                second += b[i] * words[i];
            }
        }
    }
}
