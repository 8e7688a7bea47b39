using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Vectors in 12 bits a dimension: 8 to scan, 4 to sharpen. See <see cref="DemonstrationSegment"/>.</summary>
internal static class QuantisedVector
{
    public const byte Zero = 128;

    /// <summary>Dimensions as stored: a multiple of 64, so that every kernel runs without a remainder.</summary>
    public static int Padded(int dimensions) => (dimensions + 63) & ~63;

    /// <summary>Writes a vector and returns its scale; 0 for the zero vector, which then has no similarity to anything.</summary>
    /// <param name="low">Half a byte a dimension: byte i of each 32 holds dimension i in its low half and i + 32 in its high.</param>
    public static float Write(ReadOnlySpan<float> vector, Span<byte> high, Span<byte> low)
    {
        high.Fill(Zero);
        low.Clear();
        var largest = 0f;
        foreach (var x in vector)
            largest = Math.Max(largest, Math.Abs(x));
        if (largest == 0)
            return 0;

        var scale = largest / 127;
        var inverse = 127 / largest;
        for (var i = 0; i < vector.Length; i++)
        {
            var x = vector[i] * inverse;
            var coarse = MathF.Round(x);
            var fine = Math.Clamp((int)MathF.Floor((x - coarse) * 16 + 8), 0, 15);
            high[i] = (byte)((int)coarse + Zero);
            low[(i >> 6) * 32 + (i & 31)] |= (byte)((i & 32) == 0 ? fine : fine << 4);
        }

        return scale;
    }

    /// <summary>Inner product with a full-precision query.</summary>
    /// <param name="query">Padded with zeros to the stored length.</param>
    /// <param name="querySum">Sum of the query's components.</param>
    public static float Dot(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, float scale, ReadOnlySpan<float> query, float querySum)
    {
        ref var highRef = ref MemoryMarshal.GetReference(high);
        ref var lowRef = ref MemoryMarshal.GetReference(low);
        ref var queryRef = ref MemoryMarshal.GetReference(query);
        var nibble = Vector256.Create((byte)15);
        Vector256<float> even = default, odd = default;
        for (nuint i = 0, j = 0; i < (nuint)high.Length; i += 64, j += 32)
        {
            var fine = Vector256.LoadUnsafe(ref lowRef, j);
            Add(Vector256.LoadUnsafe(ref highRef, i), fine & nibble, ref queryRef, i, ref even, ref odd);
            // .NET has no byte shift: shift words, then drop what came over from the neighbour.
            var upper = Vector256.ShiftRightLogical(fine.AsUInt16(), 4).AsByte() & nibble;
            Add(Vector256.LoadUnsafe(ref highRef, i + 32), upper, ref queryRef, i + 32, ref even, ref odd);
        }

        // Stored values are 16 * (high + 128) + low; take the offsets out once at the end.
        var sum = Vector256.Sum(even + odd) - (16 * Zero + 7.5f) * querySum;
        return sum * scale / 16;
    }

    /// <summary>Writes the stored vector back to full precision; the error is at most 1/32 of the scale a dimension.</summary>
    public static void Read(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, float scale, Span<float> vector)
    {
        for (var i = 0; i < vector.Length; i++)
        {
            var pair = low[(i >> 6) * 32 + (i & 31)];
            var fine = (i & 32) == 0 ? pair & 15 : pair >> 4;
            vector[i] = scale * (high[i] - Zero + (fine - 7.5f) / 16);
        }
    }

    private static void Add(
        Vector256<byte> high, Vector256<byte> low, ref float query, nuint at, ref Vector256<float> even, ref Vector256<float> odd)
    {
        var (highLower, highUpper) = Vector256.Widen(high);
        var (lowLower, lowUpper) = Vector256.Widen(low);
        var (a, b) = Vector256.Widen(Vector256.ShiftLeft(highLower, 4) + lowLower);
        var (c, d) = Vector256.Widen(Vector256.ShiftLeft(highUpper, 4) + lowUpper);
        even += Vector256.ConvertToSingle(a.AsInt32()) * Vector256.LoadUnsafe(ref query, at);
        odd += Vector256.ConvertToSingle(b.AsInt32()) * Vector256.LoadUnsafe(ref query, at + 8);
        even += Vector256.ConvertToSingle(c.AsInt32()) * Vector256.LoadUnsafe(ref query, at + 16);
        odd += Vector256.ConvertToSingle(d.AsInt32()) * Vector256.LoadUnsafe(ref query, at + 24);
    }
}
