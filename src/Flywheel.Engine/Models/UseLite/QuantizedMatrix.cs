using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>A weight matrix of signed bytes with one scale an output, multiplied with float activations.</summary>
/// <remarks>
/// Outputs are stored in panels of 16: [output / 16][input][output % 16], so that one load serves every row of a
/// block. Each sum runs over the inputs in order with fused multiply-add, so a result does not depend on the vector
/// width of the machine or on how many rows are computed together.
/// </remarks>
internal sealed class QuantizedMatrix
{
    private const int Panel = 16;

    private readonly sbyte[] _weights;
    private readonly float[] _scales;
    private readonly float[] _bias;

    /// <param name="weights">Inputs x Outputs bytes in panel order.</param>
    /// <param name="scales">What one step of an output's weights is worth.</param>
    public QuantizedMatrix(int inputs, int outputs, sbyte[] weights, float[] scales, float[] bias)
    {
        if (outputs % Panel != 0 || weights.Length != inputs * outputs || scales.Length != outputs || bias.Length != outputs)
            throw new InvalidDataException($"A {inputs} x {outputs} matrix does not fit its weights, scales and bias.");
        (Inputs, Outputs, _weights, _scales, _bias) = (inputs, outputs, weights, scales, bias);
    }

    public int Inputs { get; }

    public int Outputs { get; }

    public ReadOnlySpan<sbyte> Weights => _weights;

    public ReadOnlySpan<float> Scales => _scales;

    public ReadOnlySpan<float> Bias => _bias;

    /// <summary>Rounds a matrix to 255 steps an output.</summary>
    /// <param name="weights">Row-major [input][output].</param>
    public static QuantizedMatrix From(int inputs, int outputs, ReadOnlySpan<float> weights, ReadOnlySpan<float> bias)
    {
        var bytes = new sbyte[inputs * outputs];
        var scales = new float[outputs];
        for (var output = 0; output < outputs; output++)
        {
            var largest = 0f;
            for (var input = 0; input < inputs; input++)
                largest = Math.Max(largest, Math.Abs(weights[input * outputs + output]));
            var scale = scales[output] = largest == 0 ? 1 : largest / sbyte.MaxValue;
            for (var input = 0; input < inputs; input++)
                bytes[output / Panel * inputs * Panel + input * Panel + output % Panel] =
                    (sbyte)MathF.Round(weights[input * outputs + output] / scale);
        }

        return new(inputs, outputs, bytes, scales, bias.ToArray());
    }

    /// <summary>to = from * weights + bias, row by row; negative results become 0 if <paramref name="rectify"/>.</summary>
    /// <param name="from">rows x Inputs.</param>
    /// <param name="to">rows x Outputs.</param>
    public void Multiply(ReadOnlySpan<float> from, int rows, Span<float> to, bool rectify = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(from.Length, rows * Inputs);
        ArgumentOutOfRangeException.ThrowIfLessThan(to.Length, rows * Outputs);
        for (var panel = 0; panel < Outputs; panel += Panel)
        {
            var row = 0;
            if (Avx512F.IsSupported)
                for (; row + 5 <= rows; row += Math.Min(8, rows - row))
                    EightRows(from, row, rows, to, panel);
            for (; row < rows; row += 4)
                FourRows(from, row, rows, to, panel);
        }

        for (var row = 0; row < rows; row++)
            Finish(to.Slice(row * Outputs, Outputs), rectify);
    }

    private void Finish(Span<float> row, bool rectify)
    {
        for (var i = 0; i < row.Length; i++)
        {
            var value = MathF.FusedMultiplyAdd(row[i], _scales[i], _bias[i]);
            row[i] = rectify && value < 0 ? 0 : value;
        }
    }

    // Rows past the last repeat it: the sums are computed and not stored.
    private void EightRows(ReadOnlySpan<float> from, int row, int rows, Span<float> to, int panel)
    {
        ref var weights = ref MemoryMarshal.GetReference(_weights.AsSpan(panel * Inputs));
        int last = rows - 1, inputs = Inputs;
        ref var x0 = ref Row(from, row, inputs);
        ref var x1 = ref Row(from, Math.Min(row + 1, last), inputs);
        ref var x2 = ref Row(from, Math.Min(row + 2, last), inputs);
        ref var x3 = ref Row(from, Math.Min(row + 3, last), inputs);
        ref var x4 = ref Row(from, Math.Min(row + 4, last), inputs);
        ref var x5 = ref Row(from, Math.Min(row + 5, last), inputs);
        ref var x6 = ref Row(from, Math.Min(row + 6, last), inputs);
        ref var x7 = ref Row(from, Math.Min(row + 7, last), inputs);
        Vector512<float> s0 = default, s1 = default, s2 = default, s3 = default;
        Vector512<float> s4 = default, s5 = default, s6 = default, s7 = default;
        for (nuint i = 0; i < (nuint)inputs; i++)
        {
            var bytes = Vector128.LoadUnsafe(ref weights, i * Panel);
            var w = Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(bytes));
            s0 = Vector512.FusedMultiplyAdd(At512(ref x0, i), w, s0);
            s1 = Vector512.FusedMultiplyAdd(At512(ref x1, i), w, s1);
            s2 = Vector512.FusedMultiplyAdd(At512(ref x2, i), w, s2);
            s3 = Vector512.FusedMultiplyAdd(At512(ref x3, i), w, s3);
            s4 = Vector512.FusedMultiplyAdd(At512(ref x4, i), w, s4);
            s5 = Vector512.FusedMultiplyAdd(At512(ref x5, i), w, s5);
            s6 = Vector512.FusedMultiplyAdd(At512(ref x6, i), w, s6);
            s7 = Vector512.FusedMultiplyAdd(At512(ref x7, i), w, s7);
        }

        ReadOnlySpan<Vector512<float>> sums = [s0, s1, s2, s3, s4, s5, s6, s7];
        for (var i = 0; i < sums.Length && row + i < rows; i++)
            sums[i].CopyTo(to[((row + i) * Outputs + panel)..]);
    }

    private void FourRows(ReadOnlySpan<float> from, int row, int rows, Span<float> to, int panel)
    {
        ref var weights = ref MemoryMarshal.GetReference(_weights.AsSpan(panel * Inputs));
        int last = rows - 1, inputs = Inputs;
        ref var x0 = ref Row(from, row, inputs);
        ref var x1 = ref Row(from, Math.Min(row + 1, last), inputs);
        ref var x2 = ref Row(from, Math.Min(row + 2, last), inputs);
        ref var x3 = ref Row(from, Math.Min(row + 3, last), inputs);
        Vector256<float> a0 = default, a1 = default, a2 = default, a3 = default;
        Vector256<float> b0 = default, b1 = default, b2 = default, b3 = default;
        for (nuint i = 0; i < (nuint)inputs; i++)
        {
            var shorts = Vector256.WidenLower(Vector128.LoadUnsafe(ref weights, i * Panel).ToVector256Unsafe());
            var wa = Vector256.ConvertToSingle(Vector256.WidenLower(shorts));
            var wb = Vector256.ConvertToSingle(Vector256.WidenUpper(shorts));
            var x = At256(ref x0, i);
            (a0, b0) = (Vector256.FusedMultiplyAdd(x, wa, a0), Vector256.FusedMultiplyAdd(x, wb, b0));
            x = At256(ref x1, i);
            (a1, b1) = (Vector256.FusedMultiplyAdd(x, wa, a1), Vector256.FusedMultiplyAdd(x, wb, b1));
            x = At256(ref x2, i);
            (a2, b2) = (Vector256.FusedMultiplyAdd(x, wa, a2), Vector256.FusedMultiplyAdd(x, wb, b2));
            x = At256(ref x3, i);
            (a3, b3) = (Vector256.FusedMultiplyAdd(x, wa, a3), Vector256.FusedMultiplyAdd(x, wb, b3));
        }

        ReadOnlySpan<Vector256<float>> sums = [a0, b0, a1, b1, a2, b2, a3, b3];
        for (var i = 0; i < 4 && row + i < rows; i++)
        {
            sums[2 * i].CopyTo(to[((row + i) * Outputs + panel)..]);
            sums[2 * i + 1].CopyTo(to[((row + i) * Outputs + panel + Panel / 2)..]);
        }
    }

    private static ref float Row(ReadOnlySpan<float> from, int row, int inputs) =>
        ref MemoryMarshal.GetReference(from.Slice(row * inputs, inputs));

    private static Vector512<float> At512(ref float row, nuint i) =>
        Vector512.Create(System.Runtime.CompilerServices.Unsafe.Add(ref row, i));

    private static Vector256<float> At256(ref float row, nuint i) =>
        Vector256.Create(System.Runtime.CompilerServices.Unsafe.Add(ref row, i));
}
