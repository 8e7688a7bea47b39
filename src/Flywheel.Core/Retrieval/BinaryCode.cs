using System.Numerics;
using System.Runtime.InteropServices;

namespace Flywheel.Core.Retrieval;

/// <summary>Vectors in one bit a dimension: the signs of a rotated vector, from which cosines are estimated.</summary>
/// <remarks>
/// <para>
/// RaBitQ (Gao and Long, SIGMOD 2024). With b the signs of the rotated vector o, the estimate of the inner product with a
/// query q is &lt;b, q&gt; * |o|^2 / sum |o_i|: unbiased over rotations, off by a standard deviation of
/// |o| sqrt(1 / a^2 - 1) / sqrt(d - 1), a = sum |o_i| / (|o| sqrt d): some 0.033 for d = 512.
/// </para>
/// <para>
/// Rows lie in blocks of <see cref="BlockRows"/>, for <see cref="CodeKernel"/>: 32 bytes, one a row, for each eight dimensions.
/// A row's bytes are its own, so one can be written while others of its block are read.
/// </para>
/// </remarks>
internal static class BinaryCode
{
    public const int BlockRows = 32;

    /// <summary>Writes the code of one row.</summary>
    /// <param name="rotated">A vector of any length, rotated.</param>
    /// <param name="block">The row's block.</param>
    /// <param name="lane">The row's place in it.</param>
    /// <returns>What turns a sum of signed query values into an estimate, and that estimate's standard deviation for a query of length 1.</returns>
    public static (float Scale, float Deviation) Write(ReadOnlySpan<float> rotated, Span<byte> block, int lane)
    {
        for (var at = 0; at < rotated.Length; at += 8)
        {
            var bits = 0;
            for (var i = 0; i < 8; i++)
                bits |= rotated[at + i] > 0 ? 1 << i : 0;
            block[at / 8 * BlockRows + lane] = (byte)bits;
        }

        var (absolute, squares) = Norms(rotated);
        if (absolute == 0)
            return (0, 0);
        var unexplained = Math.Max(0, squares * rotated.Length / ((double)absolute * absolute) - 1);
        return (squares / absolute, (float)Math.Sqrt(squares * unexplained / (rotated.Length - 1)));
    }

    public static void Copy(ReadOnlySpan<byte> from, int fromLane, Span<byte> to, int toLane)
    {
        for (var column = 0; column < from.Length; column += BlockRows)
            to[column + toLane] = from[column + fromLane];
    }

    private static (float Absolute, float Squares) Norms(ReadOnlySpan<float> values)
    {
        Vector<float> absolute = default, squares = default;
        foreach (var x in MemoryMarshal.Cast<float, Vector<float>>(values))
        {
            absolute += Vector.Abs(x);
            squares += x * x;
        }

        return (Vector.Sum(absolute), Vector.Sum(squares));
    }
}
