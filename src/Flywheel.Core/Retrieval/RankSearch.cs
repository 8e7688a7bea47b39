using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Looks for ranks that are high enough where few are.</summary>
internal static class RankSearch
{
    private const int Stride = 64;

    /// <summary>The first rank that reaches the threshold; -1 for none.</summary>
    /// <param name="threshold">Above negative infinity, which no search finds.</param>
    public static int IndexReaching(this ReadOnlySpan<float> ranks, float threshold)
    {
        ref var first = ref MemoryMarshal.GetReference(ranks);
        var least = Vector256.Create(threshold);
        for (var from = 0; from < ranks.Length;)
        {
            var end = Math.Min(from + Stride, ranks.Length);
            if (end - from == Stride && !Vector256.GreaterThanOrEqualAny(Highest(ref first, (nuint)from), least))
            {
                from = end;
                continue;
            }

            for (; from + Vector256<float>.Count <= end; from += Vector256<float>.Count)
            {
                var reaching = Vector256.GreaterThanOrEqual(Vector256.LoadUnsafe(ref first, (nuint)from), least)
                    .ExtractMostSignificantBits();
                if (reaching != 0)
                    return from + BitOperations.TrailingZeroCount(reaching);
            }

            for (; from < end; from++)
            {
                if (ranks[from] >= threshold)
                    return from;
            }
        }

        return -1;
    }

    private static Vector256<float> Highest(ref float ranks, nuint at)
    {
        var a = Vector256.MaxNative(Vector256.LoadUnsafe(ref ranks, at), Vector256.LoadUnsafe(ref ranks, at + 8));
        var b = Vector256.MaxNative(Vector256.LoadUnsafe(ref ranks, at + 16), Vector256.LoadUnsafe(ref ranks, at + 24));
        var c = Vector256.MaxNative(Vector256.LoadUnsafe(ref ranks, at + 32), Vector256.LoadUnsafe(ref ranks, at + 40));
        var d = Vector256.MaxNative(Vector256.LoadUnsafe(ref ranks, at + 48), Vector256.LoadUnsafe(ref ranks, at + 56));
        return Vector256.MaxNative(Vector256.MaxNative(a, b), Vector256.MaxNative(c, d));
    }
}
