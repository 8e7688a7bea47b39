using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Flywheel.Core.Retrieval;

/// <summary>Looks up what the bits of codes are worth to a query, for 32 rows at a time.</summary>
/// <remarks>
/// Four bits choose one of sixteen table entries, which a byte shuffle does for a whole register (fast scan: André et al.,
/// VLDB 2015). All paths are exact, so they agree to the last bit.
/// </remarks>
internal static unsafe class CodeKernel
{
    private const int Rows = BinaryCode.BlockRows;

    /// <summary>Fills 32 <paramref name="sums"/> a block, in the order of the rows.</summary>
    public static void Sums(byte* codes, int blocks, in CodeQuery query, ushort* sums)
    {
        if (Avx512BW.IsSupported)
            SumsAvx512(codes, blocks, query, sums);
        else if (Avx2.IsSupported)
            SumsAvx2(codes, blocks, query, sums);
        else
            SumsPortable(codes, blocks, query, sums);
    }

    internal static void SumsAvx512(byte* codes, int blocks, in CodeQuery query, ushort* sums)
    {
        byte* low = query.Low, high = query.High;
        nint bytes = query.Columns * Rows;
        for (var block = 0; block < blocks; block++, codes += bytes, sums += Rows)
        {
            // Two columns at a time, one in each half.
            Vector512<ushort> both = default, odd = default;
            for (nint i = 0; i < bytes; i += 256)
            {
                byte* code = codes + i, lower = low + i, upper = high + i;
                var worth = (Worth(code, lower, upper) + Worth(code + 64, lower + 64, upper + 64)
                    + (Worth(code + 128, lower + 128, upper + 128) + Worth(code + 192, lower + 192, upper + 192))).AsUInt16();
                both += worth;
                odd += worth >> 8;
            }

            Store(both.GetLower() + both.GetUpper(), odd.GetLower() + odd.GetUpper(), sums);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector512<byte> Worth(byte* code, byte* low, byte* high)
        {
            var bits = Vector512.Load(code);
            var nibble = Vector512.Create((byte)0x0F);
            return Avx512BW.Shuffle(Vector512.Load(low), bits & nibble)
                + Avx512BW.Shuffle(Vector512.Load(high), (bits.AsUInt16() >> 4).AsByte() & nibble);
        }
    }

    internal static void SumsAvx2(byte* codes, int blocks, in CodeQuery query, ushort* sums)
    {
        byte* low = query.Low, high = query.High;
        nint bytes = query.Columns * Rows;
        for (var block = 0; block < blocks; block++, codes += bytes, sums += Rows)
        {
            Vector256<ushort> both = default, odd = default;
            for (nint i = 0; i < bytes; i += 128)
            {
                byte* code = codes + i, lower = low + i, upper = high + i;
                var worth = (Worth(code, lower, upper) + Worth(code + 32, lower + 32, upper + 32)
                    + (Worth(code + 64, lower + 64, upper + 64) + Worth(code + 96, lower + 96, upper + 96))).AsUInt16();
                both += worth;
                odd += worth >> 8;
            }

            Store(both, odd, sums);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector256<byte> Worth(byte* code, byte* low, byte* high)
        {
            var bits = Vector256.Load(code);
            var nibble = Vector256.Create((byte)0x0F);
            return Avx2.Shuffle(Vector256.Load(low), bits & nibble)
                + Avx2.Shuffle(Vector256.Load(high), (bits.AsUInt16() >> 4).AsByte() & nibble);
        }
    }

    internal static void SumsPortable(byte* codes, int blocks, in CodeQuery query, ushort* sums)
    {
        byte* low = query.Low, high = query.High;
        nint bytes = query.Columns * Rows;
        var nibble = Vector128.Create((byte)0x0F);
        for (var block = 0; block < blocks; block++, codes += bytes, sums += Rows)
        {
            for (var half = 0; half < Rows; half += 16)
            {
                Vector128<ushort> lower = default, upper = default;
                for (nint i = 0; i < bytes; i += 32)
                {
                    var code = Vector128.Load(codes + i + half);
                    var worth = Vector128.ShuffleNative(Vector128.Load(low + i), code & nibble)
                        + Vector128.ShuffleNative(Vector128.Load(high + i), code >> 4);
                    var (first, second) = Vector128.Widen(worth);
                    lower += first;
                    upper += second;
                }

                lower.Store(sums + half);
                upper.Store(sums + half + 8);
            }
        }
    }

    /// <param name="both">Sums of even rows, with 256 times those of odd rows on top, modulo 65,536.</param>
    private static void Store(Vector256<ushort> both, Vector256<ushort> odd, ushort* sums)
    {
        var even = both - (odd << 8);
        var first = Avx2.UnpackLow(even, odd);
        var second = Avx2.UnpackHigh(even, odd);
        first.GetLower().Store(sums);
        second.GetLower().Store(sums + 8);
        first.GetUpper().Store(sums + 16);
        second.GetUpper().Store(sums + 24);
    }
}
