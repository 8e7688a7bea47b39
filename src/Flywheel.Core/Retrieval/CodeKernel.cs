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

/// <summary>A rotated query as tables: what each sixteen settings of four bits are worth; the memory belongs to the caller.</summary>
internal readonly unsafe struct CodeQuery
{
    private CodeQuery(byte* low, byte* high, int columns, float slope, float intercept)
    {
        Low = low;
        High = high;
        Columns = columns;
        Slope = slope;
        Intercept = intercept;
    }

    /// <summary>For the first four dimensions of each column: 16 entries, twice.</summary>
    public byte* Low { get; }

    /// <summary>For the last four.</summary>
    public byte* High { get; }

    /// <summary>Eights of dimensions.</summary>
    public int Columns { get; }

    /// <summary>Query values with the signs of a row add up to its sum of entries times this, plus <see cref="Intercept"/>.</summary>
    public float Slope { get; }

    public float Intercept { get; }

    /// <summary>Bytes of table for a query of <paramref name="size"/> dimensions, with room to align them.</summary>
    public static int TableBytes(int size) => 2 * (size / 8) * 32 + 64;

    /// <param name="query">At most the rotation's size.</param>
    /// <param name="tables">Memory of <see cref="TableBytes"/> that outlives the result.</param>
    public static CodeQuery From(ReadOnlySpan<float> query, RandomRotation rotation, byte* tables)
    {
        Span<float> rotated = stackalloc float[rotation.Size];
        rotation.Apply(query, rotated);
        var columns = rotated.Length / 8;
        var low = (byte*)(((nint)tables + 63) & ~63);
        var high = low + columns * 32;
        var (span, least, sum) = Extremes(rotated);
        // The kernels add eight entries in a byte, and all of a row in two.
        var top = Math.Min(31, 65_535 / (2 * columns));
        var step = span > 0 ? span / top : 1;
        for (var column = 0; column < columns; column++)
        {
            Fill(rotated.Slice(8 * column, 4), 1 / step, low + 32 * column);
            Fill(rotated.Slice(8 * column + 4, 4), 1 / step, high + 32 * column);
        }

        return new(low, high, columns, 2 * step, 2 * least - sum);
    }

    private static (float Span, float Least, float Sum) Extremes(ReadOnlySpan<float> rotated)
    {
        float widest = 0, least = 0, sum = 0;
        for (var at = 0; at < rotated.Length; at += 4)
        {
            float lowest = 0, highest = 0;
            foreach (var x in rotated.Slice(at, 4))
            {
                lowest += Math.Min(x, 0);
                highest += Math.Max(x, 0);
            }

            widest = Math.Max(widest, highest - lowest);
            least += lowest;
            sum += lowest + highest;
        }

        return (widest, least, sum);
    }

    private static void Fill(ReadOnlySpan<float> four, float perStep, byte* table)
    {
        // An entry counts from the lowest of its sixteen: the sum of the negative values.
        var entries = Vector512.Create(0.5f);
        for (var bit = 0; bit < 4; bit++)
            entries += Vector512.ConditionalSelect(s_hasBit[bit], Vector512.Create(Math.Max(four[bit], 0)), Vector512.Create(Math.Max(-four[bit], 0))) * perStep;
        var whole = Vector512.ConvertToInt32(entries);
        var words = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
        var bytes = Vector128.Narrow(words.GetLower(), words.GetUpper()).AsByte();
        bytes.Store(table);
        bytes.Store(table + 16);
    }

    private static readonly Vector512<float>[] s_hasBit =
    [
        .. Enumerable.Range(0, 4).Select(bit => Vector512.Create<int>([.. Enumerable.Range(0, 16).Select(n => (n >> bit & 1) == 0 ? 0 : -1)]).AsSingle()),
    ];
}
