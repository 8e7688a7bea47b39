using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

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
            entries += Vector512.ConditionalSelect(
                HasBit[bit], Vector512.Create(Math.Max(four[bit], 0)), Vector512.Create(Math.Max(-four[bit], 0))) * perStep;
        var whole = Vector512.ConvertToInt32(entries);
        var words = Vector256.Narrow(whole.GetLower(), whole.GetUpper());
        var bytes = Vector128.Narrow(words.GetLower(), words.GetUpper()).AsByte();
        bytes.Store(table);
        bytes.Store(table + 16);
    }

    private static readonly Vector512<float>[] HasBit =
    [
        .. Enumerable.Range(0, 4)
        .Select(bit => Vector512.Create<int>([.. Enumerable.Range(0, 16).Select(n => (n >> bit & 1) == 0 ? 0 : -1)]).AsSingle()),
    ];
}
