using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Vectors in 16 bits a dimension: 8 to scan, 8 to sharpen. See <see cref="DemonstrationSegment"/>.</summary>
internal static class QuantisedVector
{
    public const byte Zero = 128;

    /// <summary>Dimensions as stored: a multiple of 64, so that every kernel runs without a remainder.</summary>
    public static int Padded(int dimensions) => (dimensions + 63) & ~63;

    /// <summary>Writes a vector and returns its scale; 0 for the zero vector, which then has no similarity to anything.</summary>
    public static float Write(ReadOnlySpan<float> vector, Span<byte> high, Span<byte> low)
    {
        high.Fill(Zero);
        low.Clear();
        var largest = 0f;
        foreach (var x in vector)
            largest = Math.Max(largest, Math.Abs(x));
        if (largest == 0)
            return 0;

        var inverse = 127 / largest;
        for (var i = 0; i < vector.Length; i++)
        {
            var x = vector[i] * inverse;
            var coarse = MathF.Round(x);
            high[i] = (byte)((int)coarse + Zero);
            low[i] = (byte)Math.Clamp((int)MathF.Floor((x - coarse) * 256 + 128), 0, 255);
        }

        return largest / 127;
    }

    /// <summary>Inner product with a full-precision query.</summary>
    /// <param name="query">Padded with zeros to the stored length.</param>
    /// <param name="querySum">Sum of the query's components.</param>
    public static float Dot(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, float scale, ReadOnlySpan<float> query, float querySum)
    {
        ref var highRef = ref MemoryMarshal.GetReference(high);
        ref var lowRef = ref MemoryMarshal.GetReference(low);
        ref var queryRef = ref MemoryMarshal.GetReference(query);
        Vector256<float> even = default, odd = default;
        for (nuint i = 0; i < (nuint)high.Length; i += 32)
        {
            var (highLower, highUpper) = Vector256.Widen(Vector256.LoadUnsafe(ref highRef, i) ^ Vector256.Create(Zero));
            var (lowLower, lowUpper) = Vector256.Widen(Vector256.LoadUnsafe(ref lowRef, i));
            Add(Vector256.ShiftLeft(highLower, 8) | lowLower, ref queryRef, i, ref even, ref odd);
            Add(Vector256.ShiftLeft(highUpper, 8) | lowUpper, ref queryRef, i + 16, ref even, ref odd);
        }

        // A stored value is 256 * high + low, low counted from 128.
        return (Vector256.Sum(even + odd) - LowCentre * querySum) * scale / 256;
    }

    /// <summary>Writes the stored vector back to full precision; the error is at most 1/512 of the scale a dimension.</summary>
    public static void Read(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, float scale, Span<float> vector)
    {
        for (var i = 0; i < vector.Length; i++)
            vector[i] = scale * (high[i] - Zero + (low[i] - LowCentre) / 256);
    }

    private const float LowCentre = 127.5f;

    private static void Add(Vector256<ushort> values, ref float query, nuint at, ref Vector256<float> even, ref Vector256<float> odd)
    {
        var (lower, upper) = Vector256.Widen(values.AsInt16());
        even += Vector256.ConvertToSingle(lower) * Vector256.LoadUnsafe(ref query, at);
        odd += Vector256.ConvertToSingle(upper) * Vector256.LoadUnsafe(ref query, at + 8);
    }
}
