using System.Numerics;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Vectors in one bit a dimension, and in one more: the signs of a rotated vector, and of what they leave over.</summary>
/// <remarks>
/// <para>
/// RaBitQ (Gao and Long, SIGMOD 2024). With c what the bits stand for (the signs; with the second bit the four levels that
/// lose least of normal values: Max, IRE Trans. Inf. Theory 1960), the estimate of the inner product of the rotated vector o
/// with a query q is &lt;c, q&gt; * |o|^2 / &lt;c, o&gt;: unbiased over rotations, off by a standard deviation of
/// |o| sqrt(1 / a^2 - 1) / sqrt(d - 1), a the cosine of c and o. For d = 512 that is 0.033 with one bit and 0.016 with two.
/// </para>
/// <para>
/// Rows lie in blocks of <see cref="BlockRows"/>, for <see cref="CodeKernel"/>: 32 bytes, one a row, for each eight dimensions.
/// A row's bytes are its own, so one can be written while others of its block are read.
/// </para>
/// </remarks>
internal static class BinaryCode
{
    public const int BlockRows = 32;

    /// <summary>What a second bit's sign counts beside a first one's.</summary>
    public const float FinerWeight = 0.5389f;

    // In standard deviations of the values: above it they are nearer to the outer level.
    private const float Outer = 0.9816f;

    /// <summary>Writes the codes of one row.</summary>
    /// <param name="rotated">A vector of any length, rotated.</param>
    /// <param name="signs">The row's block of first bits.</param>
    /// <param name="finer">The row's block of second bits.</param>
    /// <param name="lane">The row's place in them.</param>
    public static (CodeScale First, CodeScale Both) Write(ReadOnlySpan<float> rotated, Span<byte> signs, Span<byte> finer, int lane)
    {
        var squares = Squares(rotated);
        var outer = Vector256.Create(Outer * MathF.Sqrt(squares / rotated.Length));
        Vector256<float> total = default, outermost = default;
        var outers = 0;
        for (var at = 0; at < rotated.Length; at += 8)
        {
            var x = Vector256.Create(rotated[at..]);
            var magnitude = Vector256.Abs(x);
            var isOuter = Vector256.GreaterThan(magnitude, outer);
            uint positives = Vector256.GreaterThan(x, default).ExtractMostSignificantBits(), large = isOuter.ExtractMostSignificantBits();
            signs[at / 8 * BlockRows + lane] = (byte)positives;
            // The sign of what is left over: outwards for large values, inwards for small ones.
            finer[at / 8 * BlockRows + lane] = (byte)~(positives ^ large);
            total += magnitude;
            outermost += magnitude & isOuter;
            outers += BitOperations.PopCount(large);
        }

        // Where both signs agree a value counts 1 + w, elsewhere 1 - w.
        const float w = FinerWeight;
        float near = Vector256.Sum(total), far = Vector256.Sum(outermost);
        return (
            CodeScale.Of(squares, near, rotated.Length, rotated.Length),
            CodeScale.Of(
                squares, near * (1 - w) + far * 2 * w,
                outers * (1 + w) * (1 + w) + (rotated.Length - outers) * (1 - w) * (1 - w), rotated.Length));
    }

    public static void Copy(ReadOnlySpan<byte> from, int fromLane, Span<byte> to, int toLane)
    {
        for (var column = 0; column < from.Length; column += BlockRows)
            to[column + toLane] = from[column + fromLane];
    }

    private static float Squares(ReadOnlySpan<float> values)
    {
        Vector256<float> squares = default;
        for (var at = 0; at < values.Length; at += 8)
        {
            var x = Vector256.Create(values[at..]);
            squares += x * x;
        }

        return Vector256.Sum(squares);
    }
}

/// <summary>
/// What turns a sum of signed query values into an estimate, and that estimate's standard deviation for a query of length 1.
/// </summary>
internal readonly record struct CodeScale(float Factor, float Deviation)
{
    /// <param name="squares">Squared length of the vector.</param>
    /// <param name="product">Inner product of the vector with what its code stands for.</param>
    /// <param name="codeSquares">Squared length of that.</param>
    public static CodeScale Of(float squares, float product, float codeSquares, int dimensions)
    {
        if (product == 0)
            return default;
        var unexplained = Math.Max(0, (double)squares * codeSquares / ((double)product * product) - 1);
        return new(squares / product, (float)Math.Sqrt(squares * unexplained / (dimensions - 1)));
    }
}
