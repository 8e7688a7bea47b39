namespace Flywheel.Engine.Models;

internal static class VectorMath
{
    /// <summary>Scales a vector to length 1 in place; the zero vector stays.</summary>
    public static void Normalise(Span<float> vector)
    {
        var squares = 0.0;
        foreach (var x in vector)
            squares += (double)x * x;
        if (squares == 0)
            return;
        var factor = (float)(1 / Math.Sqrt(squares));
        foreach (ref var x in vector)
            x *= factor;
    }

    /// <summary>The inner product of two vectors of one length.</summary>
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += (double)a[i] * b[i];
        return sum;
    }
}
