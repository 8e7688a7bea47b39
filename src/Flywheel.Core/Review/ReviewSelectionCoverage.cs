using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Flywheel.Core.Retrieval;

namespace Flywheel.Core.Review;

/// <summary>How much nearer to an example each further pick would bring the traffic.</summary>
/// <remarks>
/// Keeps the nearness of every candidate to every reference in a byte: candidates * references bytes, 20 MB for
/// 10,000 candidates, for as long as a choice takes.
/// </remarks>
internal sealed class CoverageGains
{
    // What an item still weighs whose answer the examples agree on: they may agree and be wrong. Between 0.1 and 1
    // cross-validation sees little difference; powers of similarity instead of the plain one gain nothing either.
    private const double LeastWeight = 0.1;

    private readonly int _references;
    private readonly int _width;
    private readonly byte[] _nearness;
    private readonly byte[] _covered;
    private readonly float[] _weights;

    public CoverageGains(
        ReviewCandidate[] candidates, ReviewCandidate[] references, ReviewSelection.Knowledge[] knowledge, CancellationToken ct)
    {
        _references = references.Length;
        _width = (_references + 31) & ~31;
        _nearness = new byte[(long)candidates.Length * _width];
        _covered = new byte[_width];
        _weights = new float[_width];
        for (var r = 0; r < _references; r++)
        {
            _covered[r] = Byte(knowledge[r].Similarity);
            _weights[r] = (float)(LeastWeight + (1 - LeastWeight) * (1 - knowledge[r].Certainty)) / _references;
        }

        Measure(candidates, references, ct);
    }

    /// <summary>What adding a candidate would gain now.</summary>
    public double Of(int candidate)
    {
        ref var near = ref _nearness[candidate * _width];
        ref var covered = ref MemoryMarshal.GetArrayDataReference(_covered);
        ref var weights = ref MemoryMarshal.GetArrayDataReference(_weights);
        Vector256<float> even = default, odd = default;
        for (nuint r = 0; r < (nuint)_width; r += 32)
        {
            var gain = Vector256.SubtractSaturate(Vector256.LoadUnsafe(ref near, r), Vector256.LoadUnsafe(ref covered, r));
            if (gain == Vector256<byte>.Zero)
                continue;
            var (lower, upper) = Vector256.Widen(gain);
            var (a, b) = Vector256.Widen(lower.AsInt16());
            var (c, d) = Vector256.Widen(upper.AsInt16());
            even += Vector256.ConvertToSingle(a) * Vector256.LoadUnsafe(ref weights, r);
            odd += Vector256.ConvertToSingle(b) * Vector256.LoadUnsafe(ref weights, r + 8);
            even += Vector256.ConvertToSingle(c) * Vector256.LoadUnsafe(ref weights, r + 16);
            odd += Vector256.ConvertToSingle(d) * Vector256.LoadUnsafe(ref weights, r + 24);
        }

        return Vector256.Sum(even + odd) / 255;
    }

    /// <summary>Share of the traffic it would be nearest to.</summary>
    public double Represents(int candidate)
    {
        var near = Near(candidate);
        var nearest = 0;
        for (var r = 0; r < _references; r++)
            nearest += near[r] > _covered[r] ? 1 : 0;
        return (double)nearest / _references;
    }

    public void Add(int candidate)
    {
        var near = Near(candidate);
        for (var r = 0; r < _references; r++)
            _covered[r] = Math.Max(_covered[r], near[r]);
    }

    private ReadOnlySpan<byte> Near(int candidate) => _nearness.AsSpan(candidate * _width, _width);

    private static byte Byte(double similarity) => (byte)Math.Round(255 * Math.Clamp(similarity, 0, 1));

    private void Measure(ReviewCandidate[] candidates, ReviewCandidate[] references, CancellationToken ct)
    {
        var rows = new VectorBlock(references.Select(reference => reference.Query ?? reference.Vector).ToArray());
        var cosines = new float[_references];
        for (var i = 0; i < candidates.Length; i++)
        {
            if ((i & 255) == 0)
                ct.ThrowIfCancellationRequested();
            rows.Cosines(candidates[i].Vector, cosines);
            for (var r = 0; r < _references; r++)
                _nearness[i * _width + r] = Byte(cosines[r]);
        }
    }
}
