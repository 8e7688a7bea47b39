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
        var squares = 0f;
        foreach (var x in rotated)
            squares += x * x;
        var outer = Outer * MathF.Sqrt(squares / rotated.Length);
        float near = 0, far = 0;
        for (var at = 0; at < rotated.Length; at += 8)
        {
            int first = 0, second = 0;
            for (var i = 0; i < 8; i++)
            {
                var x = rotated[at + i];
                var magnitude = Math.Abs(x);
                var isPositive = x > 0;
                var isOuter = magnitude > outer;
                first |= isPositive ? 1 << i : 0;
                // The sign of what is left: outwards for large values.
                second |= isPositive == isOuter ? 1 << i : 0;
                near += magnitude;
                far += isOuter ? magnitude : -magnitude;
            }

            signs[at / 8 * BlockRows + lane] = (byte)first;
            finer[at / 8 * BlockRows + lane] = (byte)second;
        }

        return (
            CodeScale.Of(squares, near, rotated.Length, rotated.Length),
            // The two signs agree for outer values and not for inner ones, which is what their product with each other adds up to.
            CodeScale.Of(squares, near + FinerWeight * far, Length(rotated, outer), rotated.Length));
    }

    private static float Length(ReadOnlySpan<float> rotated, float outer)
    {
        const float outside = (1 + FinerWeight) * (1 + FinerWeight), inside = (1 - FinerWeight) * (1 - FinerWeight);
        var count = 0;
        foreach (var x in rotated)
            count += Math.Abs(x) > outer ? 1 : 0;
        return count * outside + (rotated.Length - count) * inside;
    }

    public static void Copy(ReadOnlySpan<byte> from, int fromLane, Span<byte> to, int toLane)
    {
        for (var column = 0; column < from.Length; column += BlockRows)
            to[column + toLane] = from[column + fromLane];
    }
}

/// <summary>What turns a sum of signed query values into an estimate, and that estimate's standard deviation for a query of length 1.</summary>
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
