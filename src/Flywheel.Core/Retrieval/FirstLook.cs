using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Ranks all rows of a snapshot, one segment after another, in steps that stay in the innermost cache.</summary>
internal static unsafe class FirstLook
{
    private const int Block = 128;

    /// <summary>Writes ranks from the 8-bit vectors; returns how many rows are eligible.</summary>
    public static int AtVectors(IndexSnapshot snapshot, in RowWeights weights, QuantisedQuery query, Span<float> ranks)
    {
        var dots = stackalloc int[Block];
        var cosines = stackalloc float[Block];
        var eligible = 0;
        fixed (float* start = ranks)
        {
            var into = start;
            for (var s = 0; s < snapshot.Segments.Length; s++)
            {
                var segment = snapshot.Segments[s];
                var count = snapshot.CountOf(s);
                fixed (byte* high = &segment.High[segment.HighOffset])
                {
                    for (var row = 0; row < count; row += Block)
                    {
                        var rows = Math.Min(Block, count - row);
                        query.Dots(high + (nint)row * segment.Stride, rows, dots);
                        for (var i = 0; i < rows; i++)
                            cosines[i] = dots[i] * (segment.Scale[row + i] * query.Scale);
                        eligible += weights.Rank(segment, row, rows, cosines, cosines, into);
                        into += rows;
                    }
                }
            }
        }

        return eligible;
    }

    /// <summary>Writes what ranks are at most, from the codes; returns how many rows are eligible by estimate.</summary>
    /// <param name="query">Padded with zeros to the stored length.</param>
    /// <param name="deviations">Standard deviations that a bound lies above its estimate.</param>
    public static int AtCodes(IndexSnapshot snapshot, in RowWeights weights, float[] query, float deviations, Span<float> ranks)
    {
        var rotation = snapshot.Segments[0].Layout.Rotation;
        Span<float> rotated = stackalloc float[rotation.Size];
        rotation.Apply(query, rotated);
        var tables = stackalloc byte[CodeQuery.TableBytes(rotated.Length)];
        var codes = CodeQuery.From(rotated, tables);
        var sums = stackalloc ushort[Block];
        var estimates = stackalloc float[Block];
        var bounds = stackalloc float[Block];
        var eligible = 0;
        fixed (float* start = ranks)
        {
            var into = start;
            for (var s = 0; s < snapshot.Segments.Length; s++)
            {
                var segment = snapshot.Segments[s];
                var count = snapshot.CountOf(s);
                fixed (byte* blocks = &segment.Codes[segment.CodesOffset])
                {
                    for (var row = 0; row < count; row += Block)
                    {
                        var rows = Math.Min(Block, count - row);
                        CodeKernel.Sums(
                            blocks + (nint)(row / BinaryCode.BlockRows) * segment.BlockBytes,
                            (rows + BinaryCode.BlockRows - 1) / BinaryCode.BlockRows, codes, sums);
                        Estimate(segment, row, rows, codes, deviations, sums, estimates, bounds);
                        eligible += weights.Rank(segment, row, rows, estimates, bounds, into);
                        into += rows;
                    }
                }
            }
        }

        return eligible;
    }

    /// <summary>Writes ranks by time of approval alone; returns how many rows are eligible.</summary>
    public static int ByRecency(IndexSnapshot snapshot, bool fixedOnly, long now, Span<float> ranks)
    {
        int position = 0, eligible = 0;
        for (var s = 0; s < snapshot.Segments.Length; s++)
        {
            var segment = snapshot.Segments[s];
            var count = snapshot.CountOf(s);
            for (var row = 0; row < count; row++, position++)
            {
                var counts = segment.DiedAt[row] > snapshot.Version
                    && segment.ApprovedTicks[row] <= now
                    && (!fixedOnly || segment.IsFixed[row]);
                // Ages in float differ by one part in ten million; the batch is sorted by the exact time.
                ranks[position] = counts ? -(float)(now - segment.ApprovedTicks[row]) : float.NegativeInfinity;
                eligible += counts ? 1 : 0;
            }
        }

        return eligible;
    }

    /// <summary>Cosines as the codes tell them, and what they are at most; the deviation falls towards a cosine of 1.</summary>
    private static void Estimate(
        DemonstrationSegment segment, int first, int count, in CodeQuery query, float allowed, ushort* sums, float* estimates, float* bounds)
    {
        var slope = Vector256.Create(query.Slope);
        var intercept = Vector256.Create(query.Intercept);
        fixed (float* scales = &segment.CodeScale[first], deviations = &segment.CodeDeviation[first])
        {
            // The last rows may be fewer than eight: the arrays have room for what is then too much.
            for (var i = 0; i < count; i += 8)
            {
                var (lower, upper) = Vector128.Widen(Vector128.Load(sums + i));
                var sum = Vector256.ConvertToSingle(Vector256.Create(lower, upper).AsInt32());
                var estimate = Vector256.MultiplyAddEstimate(sum, slope, intercept) * Vector256.Load(scales + i);
                // The root of 1 - x from above: the first terms of its series.
                var x = estimate * estimate;
                var far = Vector256<float>.One - x * (Vector256.Create(0.5f) + x * 0.125f);
                estimate.Store(estimates + i);
                Vector256.MultiplyAddEstimate(Vector256.Load(deviations + i) * far, Vector256.Create(allowed), estimate).Store(bounds + i);
            }
        }
    }
}
