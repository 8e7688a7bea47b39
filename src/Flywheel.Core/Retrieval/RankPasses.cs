using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Ranks all rows of a snapshot, one segment after another, in steps that stay in the innermost cache.</summary>
internal static unsafe class RankPasses
{
    private const int Block = 128;

    /// <summary>Writes ranks from the 8-bit vectors; returns how many rows are eligible.</summary>
    public static int ByVectors(IndexSnapshot snapshot, in RowWeights weights, QuantisedQuery query, Span<float> ranks)
    {
        var dots = stackalloc int[Block];
        var cosines = stackalloc float[Block];
        var eligible = 0;
        fixed (float* start = ranks)
        {
            foreach (var (segment, row, rows, position) in snapshot.Blocks(Block))
            {
                fixed (byte* high = segment.HighOf(row))
                    query.Dots(high, rows, dots);
                for (var i = 0; i < rows; i++)
                    cosines[i] = dots[i] * (segment.Scale[row + i] * query.Scale);
                eligible += weights.Rank(segment, row, rows, cosines, cosines, start + position);
            }
        }

        return eligible;
    }

    /// <summary>Writes what ranks are at most, from one bit a dimension; returns how many rows are eligible by estimate.</summary>
    /// <param name="query">Padded with zeros to the stored length.</param>
    /// <param name="deviations">Standard deviations that a bound lies above its estimate.</param>
    public static int BySigns(IndexSnapshot snapshot, in RowWeights weights, float[] query, float deviations, Span<float> ranks)
    {
        var rotation = snapshot.Segments[0].Layout.Rotation;
        var tables = stackalloc byte[CodeQuery.TableBytes(rotation.Size)];
        var codes = CodeQuery.From(query, rotation, tables);
        var signs = stackalloc ushort[Block];
        var estimates = stackalloc float[Block];
        var bounds = stackalloc float[Block];
        var eligible = 0;
        fixed (float* start = ranks)
        {
            foreach (var (segment, row, rows, position) in snapshot.Blocks(Block))
            {
                Sums(segment.Signs, row, rows, codes, signs);
                Estimate(segment.Signs, row, rows, codes, deviations, signs, null, estimates, bounds);
                eligible += weights.Rank(segment, row, rows, estimates, bounds, start + position);
            }
        }

        return eligible;
    }

    /// <summary>Lowers what ranks are at most by what two bits a dimension say, where they reach a threshold.</summary>
    /// <param name="ranks">Of <see cref="BySigns"/>.</param>
    public static void ByBothBits(
        IndexSnapshot snapshot, in RowWeights weights, float[] query, float deviations, float threshold, Span<float> ranks)
    {
        var rotation = snapshot.Segments[0].Layout.Rotation;
        var tables = stackalloc byte[CodeQuery.TableBytes(rotation.Size)];
        var codes = CodeQuery.From(query, rotation, tables);
        var signs = stackalloc ushort[Block];
        var finer = stackalloc ushort[Block];
        var estimates = stackalloc float[Block];
        var bounds = stackalloc float[Block];
        Span<float> lower = stackalloc float[Block];
        foreach (var (segment, row, rows, position) in snapshot.Blocks(Block))
        {
            var block = ranks.Slice(position, rows);
            if (((ReadOnlySpan<float>)block).IndexReaching(threshold) < 0)
                continue;
            Sums(segment.Signs, row, rows, codes, signs);
            Sums(segment.Finer, row, rows, codes, finer);
            Estimate(segment.Finer, row, rows, codes, deviations, signs, finer, estimates, bounds);
            fixed (float* into = lower)
                weights.Rank(segment, row, rows, estimates, bounds, into);
            Lower(block, lower);
        }
    }

    /// <summary>Writes ranks by time of approval alone; returns how many rows are eligible.</summary>
    public static int ByRecency(IndexSnapshot snapshot, bool fixedOnly, long now, Span<float> ranks)
    {
        var eligible = 0;
        foreach (var (segment, first, rows, position) in snapshot.Blocks(Block))
        {
            for (var i = 0; i < rows; i++)
            {
                var row = first + i;
                var counts = segment.DiedAt[row] > snapshot.Version
                    && segment.ApprovedTicks[row] <= now
                    && (!fixedOnly || segment.IsFixed[row]);
                // Ages in float differ by one part in ten million; the batch is sorted by the exact time.
                ranks[position + i] = counts ? -(float)(now - segment.ApprovedTicks[row]) : float.NegativeInfinity;
                eligible += counts ? 1 : 0;
            }
        }

        return eligible;
    }

    private static void Lower(Span<float> ranks, ReadOnlySpan<float> bounds)
    {
        var i = 0;
        for (; i + 8 <= ranks.Length; i += 8)
            Vector256.MinNative(Vector256.Create<float>(ranks[i..]), Vector256.Create(bounds[i..])).CopyTo(ranks[i..]);
        for (; i < ranks.Length; i++)
            ranks[i] = Math.Min(ranks[i], bounds[i]);
    }

    private static void Sums(CodeColumn codes, int row, int rows, in CodeQuery query, ushort* sums)
    {
        fixed (byte* blocks = codes.BlockOf(row))
            CodeKernel.Sums(blocks, (rows + BinaryCode.BlockRows - 1) / BinaryCode.BlockRows, query, sums);
    }

    /// <summary>Cosines as the codes tell them, and what they are at most; the deviation falls towards a cosine of 1.</summary>
    /// <param name="scales">The column whose scales these sums go with.</param>
    /// <param name="allowance">In standard deviations.</param>
    /// <param name="finer">Sums of second bits; null for none.</param>
    private static void Estimate(
        CodeColumn scales, int first, int count, in CodeQuery query, float allowance, ushort* signs, ushort* finer, float* estimates,
        float* bounds)
    {
        var slope = Vector256.Create(query.Slope);
        var intercept = Vector256.Create(query.Intercept * (finer is null ? 1 : 1 + BinaryCode.FinerWeight));
        fixed (float* factors = &scales.Factors[first], deviations = &scales.Deviations[first])
        {
            // The last rows may be fewer than eight: the arrays have room for what is then too much.
            for (var i = 0; i < count; i += 8)
            {
                var sum = Widened(signs + i);
                if (finer is not null)
                    sum = Vector256.MultiplyAddEstimate(Widened(finer + i), Vector256.Create(BinaryCode.FinerWeight), sum);
                var estimate = Vector256.MultiplyAddEstimate(sum, slope, intercept) * Vector256.Load(factors + i);
                // The root of 1 - x from above: the first terms of its series.
                var x = estimate * estimate;
                var far = Vector256<float>.One - x * (Vector256.Create(0.5f) + x * 0.125f);
                estimate.Store(estimates + i);
                Vector256.MultiplyAddEstimate(Vector256.Load(deviations + i) * far, Vector256.Create(allowance), estimate)
                    .Store(bounds + i);
            }
        }

        static Vector256<float> Widened(ushort* sums)
        {
            var (lower, upper) = Vector128.Widen(Vector128.Load(sums));
            return Vector256.ConvertToSingle(Vector256.Create(lower, upper).AsInt32());
        }
    }
}
