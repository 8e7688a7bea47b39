using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Flywheel.Core.Retrieval;

/// <summary>Integer inner products of one query with rows that lie one behind another: the bandwidth-bound part.</summary>
/// <remarks>
/// Rows are bytes with 128 added, which suits the unsigned-by-signed multipliers of AVX-VNNI and costs the other
/// paths nothing: the offset is a constant of the query. All paths are exact, so they agree to the last bit.
/// </remarks>
internal static unsafe class ScanKernel
{
    /// <summary>The path this machine takes.</summary>
    public static string Path { get; } =
        AvxVnni.IsSupported ? "avx-vnni"
        : Avx512BW.IsSupported ? "avx512bw"
        : Avx2.IsSupported ? "avx2"
        : $"vector{Vector<byte>.Count * 8}";

    /// <summary>Fills <paramref name="dots"/> for consecutive rows starting at <paramref name="rows"/>.</summary>
    public static void Dots(byte* rows, int count, in ScanQuery query, int* dots)
    {
        if (AvxVnni.IsSupported)
            DotsVnni(rows, count, query, dots);
        else if (Avx512BW.IsSupported)
            DotsAvx512(rows, count, query, dots);
        else if (Avx2.IsSupported)
            DotsAvx2(rows, count, query, dots);
        else
            DotsPortable(rows, count, query, dots);
    }

    internal static void DotsVnni(byte* rows, int count, in ScanQuery query, int* dots)
    {
        var q = query.Bytes;
        nint stride = query.Stride;
        var row = 0;
        for (; row + 2 <= count; row += 2)
        {
            var a = rows + row * stride;
            var b = a + stride;
            Vector256<int> a0 = default, a1 = default, b0 = default, b1 = default;
            for (nint i = 0; i < stride; i += 64)
            {
                var q0 = Vector256.Load(q + i);
                var q1 = Vector256.Load(q + i + 32);
                a0 = AvxVnni.MultiplyWideningAndAdd(a0, Vector256.Load(a + i), q0);
                a1 = AvxVnni.MultiplyWideningAndAdd(a1, Vector256.Load(a + i + 32), q1);
                b0 = AvxVnni.MultiplyWideningAndAdd(b0, Vector256.Load(b + i), q0);
                b1 = AvxVnni.MultiplyWideningAndAdd(b1, Vector256.Load(b + i + 32), q1);
            }

            dots[row] = Vector256.Sum(a0 + a1) - query.Offset;
            dots[row + 1] = Vector256.Sum(b0 + b1) - query.Offset;
        }

        for (; row < count; row++)
        {
            var a = rows + row * stride;
            Vector256<int> a0 = default;
            for (nint i = 0; i < stride; i += 32)
                a0 = AvxVnni.MultiplyWideningAndAdd(a0, Vector256.Load(a + i), Vector256.Load(q + i));
            dots[row] = Vector256.Sum(a0) - query.Offset;
        }
    }

    internal static void DotsAvx512(byte* rows, int count, in ScanQuery query, int* dots)
    {
        var q = query.Words;
        nint stride = query.Stride;
        var row = 0;
        for (; row + 2 <= count; row += 2)
        {
            var a = rows + row * stride;
            var b = a + stride;
            Vector512<int> a0 = default, a1 = default, b0 = default, b1 = default;
            for (nint i = 0; i < stride; i += 64)
            {
                var q0 = Vector512.Load(q + i);
                var q1 = Vector512.Load(q + i + 32);
                a0 += Avx512BW.MultiplyAddAdjacent(Widened(a + i), q0);
                b0 += Avx512BW.MultiplyAddAdjacent(Widened(b + i), q0);
                a1 += Avx512BW.MultiplyAddAdjacent(Widened(a + i + 32), q1);
                b1 += Avx512BW.MultiplyAddAdjacent(Widened(b + i + 32), q1);
            }

            dots[row] = Vector512.Sum(a0 + a1) - query.Offset;
            dots[row + 1] = Vector512.Sum(b0 + b1) - query.Offset;
        }

        for (; row < count; row++)
        {
            var a = rows + row * stride;
            Vector512<int> a0 = default, a1 = default;
            for (nint i = 0; i < stride; i += 64)
            {
                a0 += Avx512BW.MultiplyAddAdjacent(Widened(a + i), Vector512.Load(q + i));
                a1 += Avx512BW.MultiplyAddAdjacent(Widened(a + i + 32), Vector512.Load(q + i + 32));
            }

            dots[row] = Vector512.Sum(a0 + a1) - query.Offset;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector512<short> Widened(byte* at) => Avx512BW.ConvertToVector512Int16(Vector256.Load(at));
    }

    internal static void DotsAvx2(byte* rows, int count, in ScanQuery query, int* dots)
    {
        var q = query.Words;
        nint stride = query.Stride;
        for (var row = 0; row < count; row++)
        {
            var a = rows + row * stride;
            Vector256<int> a0 = default, a1 = default;
            for (nint i = 0; i < stride; i += 32)
            {
                a0 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(a + i), Vector256.Load(q + i));
                a1 += Avx2.MultiplyAddAdjacent(Avx2.ConvertToVector256Int16(a + i + 16), Vector256.Load(q + i + 16));
            }

            dots[row] = Vector256.Sum(a0 + a1) - query.Offset;
        }
    }

    internal static void DotsPortable(byte* rows, int count, in ScanQuery query, int* dots)
    {
        var q = query.Words;
        nint stride = query.Stride;
        var width = Vector<short>.Count;
        for (var row = 0; row < count; row++)
        {
            var a = rows + row * stride;
            var sum = Vector<int>.Zero;
            for (nint i = 0; i < stride; i += Vector<byte>.Count)
            {
                Vector.Widen(Vector.Load(a + i), out var lower, out var upper);
                sum += Products(lower.As<ushort, short>(), Vector.Load(q + i));
                sum += Products(upper.As<ushort, short>(), Vector.Load(q + i + width));
            }

            dots[row] = Vector.Sum(sum) - query.Offset;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector<int> Products(Vector<short> x, Vector<short> y)
        {
            Vector.Widen(x, out var x0, out var x1);
            Vector.Widen(y, out var y0, out var y1);
            return x0 * y0 + x1 * y1;
        }
    }
}

/// <summary>A query in 8 bits a dimension, padded with zeros; the memory belongs to the caller.</summary>
/// <param name="offset">128 times the sum of the query: what the rows' offset adds to every product.</param>
internal readonly unsafe struct ScanQuery(sbyte* bytes, short* words, int stride, int offset)
{
    public sbyte* Bytes { get; } = bytes;

    public short* Words { get; } = words;

    public int Stride { get; } = stride;

    public int Offset { get; } = offset;

    /// <summary>Quantises a vector into two buffers of <paramref name="stride"/> elements.</summary>
    /// <param name="scale">Multiply a product by this and the row's scale for the cosine; 0 for the zero vector.</param>
    public static ScanQuery From(ReadOnlySpan<float> vector, sbyte* bytes, short* words, int stride, out float scale)
    {
        new Span<sbyte>(bytes, stride).Clear();
        new Span<short>(words, stride).Clear();
        var largest = 0f;
        foreach (var x in vector)
            largest = Math.Max(largest, Math.Abs(x));
        scale = largest / 127;
        if (largest == 0)
            return new(bytes, words, stride, 0);

        var sum = 0;
        for (var i = 0; i < vector.Length; i++)
        {
            var value = (int)MathF.Round(vector[i] * (127 / largest));
            bytes[i] = (sbyte)value;
            words[i] = (short)value;
            sum += value;
        }

        return new(bytes, words, stride, QuantisedVector.Zero * sum);
    }
}
