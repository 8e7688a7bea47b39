using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Turns cosines into ranks: weighs them by age and disagreement, drops the ineligible.</summary>
/// <remarks>
/// The weight is the g-th root of 2^(-age / h) * (1 + b * disagreement), with 2^x and log2 good to 2e-4, which is
/// finer than cosines of 8-bit vectors; whoever is chosen is weighed exactly later.
/// </remarks>
internal readonly unsafe struct RowWeights
{
    private readonly long _now;
    private readonly long _version;
    private readonly float _least;
    private readonly float _halvingsPerTick;
    private readonly float _disagreement;
    private readonly float _root;
    private readonly bool _fixedOnly;

    public RowWeights(RetrievalPolicy policy, long now, float least, long version)
    {
        _now = now;
        _version = version;
        _least = least;
        _root = (float)(1 / policy.SimilarityExponent);
        _halvingsPerTick = policy.HalfLife is { } halfLife ? (float)(_root / halfLife.Ticks) : 0;
        _disagreement = (float)policy.DisagreementWeight;
        _fixedOnly = policy.Strategy == RetrievalStrategy.SimilarFixed;
    }

    /// <summary>Writes one rank a row, negative infinity for the ineligible; returns how many are eligible.</summary>
    /// <param name="cosines">What decides whether a row is similar enough to count; overwritten for rows that are not there.</param>
    /// <param name="bounds">What ranks it: the same, or what the cosine is at most; overwritten likewise.</param>
    public int Rank(DemonstrationSegment segment, int first, int count, float* cosines, float* bounds, float* ranks)
    {
        if (segment.Dead > 0 || _fixedOnly)
            Exclude(segment, first, count, cosines, bounds);
        var whole = count & ~7;
        int eligible;
        fixed (float* disagreements = &segment.Disagreement[first])
        fixed (long* approved = &segment.ApprovedTicks[first])
        {
            Weigh(approved, disagreements, whole, bounds, ranks);
            eligible = Admit(approved, whole, cosines, bounds, ranks);
        }

        for (var i = whole; i < count; i++)
        {
            ranks[i] = Rank(segment, first + i, bounds[i]);
            eligible += float.IsNegativeInfinity(Rank(segment, first + i, cosines[i])) ? 0 : 1;
        }

        return eligible;
    }

    /// <summary>The rank of one row; negative infinity when it is not eligible.</summary>
    public float Rank(DemonstrationSegment segment, int row, float cosine)
    {
        float age = _now - segment.ApprovedTicks[row];
        if (age < 0 || cosine < _least || segment.DiedAt[row] <= _version || (_fixedOnly && !segment.IsFixed[row]))
            return float.NegativeInfinity;
        if (cosine <= 0)
            return cosine;
        var exponent = Vector256.CreateScalar(-age * _halvingsPerTick);
        if (_disagreement > 0 && segment.Disagreement[row] > 0)
            exponent += Log2(Vector256.CreateScalar(1 + segment.Disagreement[row] * _disagreement)) * _root;
        return cosine * Exp2(exponent).ToScalar();
    }

    private void Exclude(DemonstrationSegment segment, int first, int count, float* cosines, float* bounds)
    {
        for (var i = 0; i < count; i++)
        {
            if (segment.DiedAt[first + i] <= _version || (_fixedOnly && !segment.IsFixed[first + i]))
                cosines[i] = bounds[i] = float.NegativeInfinity;
        }
    }

    // Apart from the rest, so that nothing but a few registers is needed at a time.
    private void Weigh(long* approved, float* disagreements, int count, float* bounds, float* ranks)
    {
        var now = Vector256.Create(_now);
        var perTick = Vector256.Create(-_halvingsPerTick);
        var disagreement = Vector256.Create(_disagreement);
        var root = Vector256.Create(_root);
        for (var i = 0; i < count; i += 8)
        {
            var ageLower = now - Vector256.Load(approved + i);
            var ageUpper = now - Vector256.Load(approved + i + 4);
            var age = Vector256.Narrow(Vector256.ConvertToDouble(ageLower), Vector256.ConvertToDouble(ageUpper));
            var factor = Vector256.MultiplyAddEstimate(Vector256.Load(disagreements + i), disagreement, Vector256<float>.One);
            var weight = Exp2(Vector256.MultiplyAddEstimate(Log2(factor), root, age * perTick));
            var bound = Vector256.Load(bounds + i);
            // A cosine below zero is no relevance at all; unweighted it keeps the order of those.
            var positive = Vector256.GreaterThan(bound, Vector256<float>.Zero);
            (bound * Vector256.ConditionalSelect(positive, weight, Vector256<float>.One)).Store(ranks + i);
        }
    }

    private int Admit(long* approved, int count, float* cosines, float* bounds, float* ranks)
    {
        var now = Vector256.Create(_now);
        var least = Vector256.Create(_least);
        var eligible = 0;
        for (var i = 0; i < count; i += 8)
        {
            var past = Vector256.Narrow(
                Vector256.LessThanOrEqual(Vector256.Load(approved + i), now),
                Vector256.LessThanOrEqual(Vector256.Load(approved + i + 4), now)).AsSingle();
            var near = Vector256.GreaterThanOrEqual(Vector256.Load(cosines + i), least);
            eligible += BitOperations.PopCount((past & near).ExtractMostSignificantBits());
            var allowed = past & Vector256.GreaterThanOrEqual(Vector256.Load(bounds + i), least);
            Vector256.ConditionalSelect(allowed, Vector256.Load(ranks + i), Vector256.Create(float.NegativeInfinity)).Store(ranks + i);
        }

        return eligible;
    }

    /// <summary>2^x for x of at most some tens: a cubic on the fraction, the rest straight into the exponent bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp2(Vector256<float> x)
    {
        x = Vector256.MaxNative(x, Vector256.Create(-120f));
        var whole = Vector256.Floor(x);
        var f = x - whole;
        var power = Vector256.MultiplyAddEstimate(Vector256.Create(0.0784f), f, Vector256.Create(0.2262f));
        power = Vector256.MultiplyAddEstimate(power, f, Vector256.Create(0.6954f));
        power = Vector256.MultiplyAddEstimate(power, f, Vector256<float>.One);
        var bits = (Vector256.ConvertToInt32Native(whole) + Vector256.Create(127)) << 23;
        return power * bits.AsSingle();
    }

    /// <summary>log2 of x in [1, 5]: exponent bits plus a cubic on the mantissa.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Log2(Vector256<float> x)
    {
        var bits = x.AsInt32();
        var exponent = Vector256.ConvertToSingle((bits >> 23) - Vector256.Create(127));
        var m = ((bits & Vector256.Create(0x007F_FFFF)) | Vector256.Create(0x3F80_0000)).AsSingle() - Vector256<float>.One;
        var log = Vector256.MultiplyAddEstimate(Vector256.Create(0.1624f), m, Vector256.Create(-0.5859f));
        log = Vector256.MultiplyAddEstimate(log, m, Vector256.Create(1.4235f));
        return Vector256.MultiplyAddEstimate(log, m, exponent);
    }
}
