using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Turns integer products into ranks: scales them, weighs them by age and disagreement, drops the ineligible.</summary>
/// <remarks>
/// The weight is the g-th root of 2^(-age / h) * (1 + b * disagreement), with 2^x and log2 good to 2e-4, which is
/// finer than the 8-bit products; whoever is chosen is weighed exactly later.
/// </remarks>
internal readonly unsafe struct RowWeights
{
    private readonly long _now;
    private readonly long _version;
    private readonly float _queryScale;
    private readonly float _least;
    private readonly float _halvingsPerTick;
    private readonly float _disagreement;
    private readonly float _root;
    private readonly bool _fixedOnly;

    public RowWeights(RetrievalPolicy policy, long now, float queryScale, float least, long version)
    {
        _now = now;
        _version = version;
        _queryScale = queryScale;
        _least = least;
        _root = (float)(1 / policy.SimilarityExponent);
        _halvingsPerTick = policy.HalfLife is { } halfLife ? (float)(_root / halfLife.Ticks) : 0;
        _disagreement = (float)policy.DisagreementWeight;
        _fixedOnly = policy.Strategy == RetrievalStrategy.SimilarFixed;
    }

    /// <summary>Writes one rank a row, negative infinity for the ineligible; returns how many are eligible.</summary>
    public int Rank(DemonstrationSegment segment, int first, int count, int* dots, float* ranks)
    {
        var eligible = 0;
        var someDied = segment.Dead > 0;
        fixed (float* scales = &segment.Scale[first], disagreements = &segment.Disagreement[first])
        fixed (long* approved = &segment.ApprovedTicks[first], died = &segment.DiedAt[first])
        {
            var i = 0;
            for (; i + 8 <= count; i += 8)
            {
                var cosine = Vector256.ConvertToSingle(Vector256.Load(dots + i)) * (Vector256.Load(scales + i) * _queryScale);
                var ageLower = Vector256.Create(_now) - Vector256.Load(approved + i);
                var ageUpper = Vector256.Create(_now) - Vector256.Load(approved + i + 4);
                var age = Vector256.Narrow(Vector256.ConvertToDouble(ageLower), Vector256.ConvertToDouble(ageUpper));
                var exponent = age * -_halvingsPerTick;
                if (_disagreement > 0)
                    exponent += Log2(Vector256<float>.One + Vector256.Load(disagreements + i) * _disagreement) * _root;
                // A cosine below zero is no relevance at all; unweighted it keeps the order of those.
                var rank = cosine * Vector256.ConditionalSelect(
                    Vector256.GreaterThan(cosine, Vector256<float>.Zero), Exp2(exponent), Vector256<float>.One);

                var allowed = Vector256.GreaterThanOrEqual(age, Vector256<float>.Zero)
                    & Vector256.GreaterThanOrEqual(cosine, Vector256.Create(_least));
                if (someDied)
                    allowed &= AliveAt(died + i);
                var bits = allowed.ExtractMostSignificantBits();
                if (_fixedOnly)
                    (allowed, bits) = OnlyFixed(segment, first + i, allowed, bits);
                eligible += BitOperations.PopCount(bits);
                Vector256.ConditionalSelect(allowed, rank, Vector256.Create(float.NegativeInfinity)).Store(ranks + i);
            }

            for (; i < count; i++)
            {
                var cosine = dots[i] * scales[i] * _queryScale;
                float age = _now - approved[i];
                var weight = cosine > 0
                    ? MathF.Pow(2, -age * _halvingsPerTick) * MathF.Pow(1 + _disagreement * disagreements[i], _root)
                    : 1;
                var allowed = age >= 0 && cosine >= _least && died[i] > _version && (!_fixedOnly || segment.IsFixed[first + i]);
                ranks[i] = allowed ? cosine * weight : float.NegativeInfinity;
                eligible += allowed ? 1 : 0;
            }
        }

        return eligible;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> AliveAt(long* died)
    {
        var version = Vector256.Create(_version);
        return Vector256.Narrow(
            Vector256.GreaterThan(Vector256.Load(died), version), Vector256.GreaterThan(Vector256.Load(died + 4), version)).AsSingle();
    }

    private static (Vector256<float> Allowed, uint Bits) OnlyFixed(
        DemonstrationSegment segment, int first, Vector256<float> allowed, uint bits)
    {
        Span<int> keep = stackalloc int[8];
        for (var i = 0; i < 8; i++)
            keep[i] = segment.IsFixed[first + i] ? -1 : 0;
        allowed &= Vector256.Create<int>(keep).AsSingle();
        return (allowed, bits & allowed.ExtractMostSignificantBits());
    }

    /// <summary>2^x for x of at most some tens: a cubic on the fraction, the rest straight into the exponent bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Exp2(Vector256<float> x)
    {
        x = Vector256.Max(x, Vector256.Create(-120f));
        var whole = Vector256.Floor(x);
        var f = x - whole;
        var power = Vector256<float>.One
            + f * (Vector256.Create(0.6954f) + f * (Vector256.Create(0.2262f) + f * Vector256.Create(0.0784f)));
        var bits = (Vector256.ConvertToInt32(whole) + Vector256.Create(127)) << 23;
        return power * bits.AsSingle();
    }

    /// <summary>log2 of x in [1, 5]: exponent bits plus a cubic on the mantissa.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Log2(Vector256<float> x)
    {
        var bits = x.AsInt32();
        var exponent = Vector256.ConvertToSingle((bits >> 23) - Vector256.Create(127));
        var m = ((bits & Vector256.Create(0x007F_FFFF)) | Vector256.Create(0x3F80_0000)).AsSingle() - Vector256<float>.One;
        var log = m * (Vector256.Create(1.4235f) + m * (Vector256.Create(-0.5859f) + m * Vector256.Create(0.1624f)));
        return exponent + log;
    }
}
