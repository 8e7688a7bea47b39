using System.Numerics;
using System.Runtime.InteropServices;

namespace Flywheel.Core.Retrieval;

/// <summary>Turns vectors so that no dimension says more than another; lengths and angles stay as they are.</summary>
/// <remarks>
/// Two rounds of random signs and a Walsh-Hadamard transform (Ailon and Chazelle, SIAM J. Comput. 2009; one round leaves
/// patterns in vectors with few values other than zero). The signs are the same in every process and on every machine.
/// </remarks>
internal sealed class RandomRotation
{
    private const ulong Seed = 0x9E3779B97F4A7C15;

    private readonly float[] _first;
    private readonly float[] _second;

    /// <param name="dimensions">Of the vectors; they are padded with zeros to <see cref="Size"/>.</param>
    public RandomRotation(int dimensions)
    {
        Size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(64, dimensions));
        var state = Seed;
        _first = Signs(Size, ref state);
        _second = Signs(Size, ref state);
        // The transform makes a vector longer by the root of its size, each time.
        for (var i = 0; i < Size; i++)
            _second[i] /= Size;
    }

    /// <summary>Dimensions of what comes out: a power of two, at least 64.</summary>
    public int Size { get; }

    /// <param name="vector">At most <see cref="Size"/> values.</param>
    /// <param name="rotated"><see cref="Size"/> values, overwritten.</param>
    public void Apply(ReadOnlySpan<float> vector, Span<float> rotated)
    {
        rotated.Clear();
        vector.CopyTo(rotated);
        Multiply(rotated, _first);
        Transform(rotated);
        Multiply(rotated, _second);
        Transform(rotated);
    }

    private static void Multiply(Span<float> values, float[] signs)
    {
        var wide = MemoryMarshal.Cast<float, Vector<float>>(values);
        var by = MemoryMarshal.Cast<float, Vector<float>>(signs.AsSpan());
        for (var i = 0; i < wide.Length; i++)
            wide[i] *= by[i];
    }

    /// <summary>In place, without the factor that would keep the length.</summary>
    private static void Transform(Span<float> values)
    {
        var half = 1;
        for (; half < Vector<float>.Count; half *= 2)
        {
            for (var from = 0; from < values.Length; from += 2 * half)
            {
                for (var i = from; i < from + half; i++)
                    (values[i], values[i + half]) = (values[i] + values[i + half], values[i] - values[i + half]);
            }
        }

        var wide = MemoryMarshal.Cast<float, Vector<float>>(values);
        for (half /= Vector<float>.Count; half < wide.Length; half *= 2)
        {
            for (var from = 0; from < wide.Length; from += 2 * half)
            {
                for (var i = from; i < from + half; i++)
                    (wide[i], wide[i + half]) = (wide[i] + wide[i + half], wide[i] - wide[i + half]);
            }
        }
    }

    /// <summary>SplitMix64 (Steele et al., OOPSLA 2014), a bit a number.</summary>
    private static float[] Signs(int count, ref ulong state)
    {
        var signs = new float[count];
        for (var i = 0; i < count; i++)
        {
            var z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            signs[i] = ((z ^ (z >> 31)) & 1) == 0 ? 1 : -1;
        }

        return signs;
    }
}
