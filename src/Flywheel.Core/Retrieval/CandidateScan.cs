using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Flywheel.Core.Retrieval;

/// <summary>Ranks every row of a snapshot once, then hands out the best in batches, exactly scored.</summary>
/// <remarks>
/// <para>
/// Relevance is similarity^g * 2^(-age / h) * (1 + b * disagreement). Ranking by its g-th root gives the same order
/// and is similarity times a weight, so recency and disagreement cost the scan one multiplication a row. Rows are
/// ranked from 8-bit vectors; a batch is scored again from 12 bits and the full query, and holds enough spare rows
/// that the best of it are the best there are (recall@10 is measured in bench/Flywheel.Bench.Retrieval).
/// </para>
/// <para>A batch may be asked for under a filter (one answer, without these end users): that reads ranks, not vectors.</para>
/// </remarks>
internal sealed unsafe class CandidateScan : IDisposable
{
    private const int Block = 128;

    // What 8-bit rounding of both sides can move a cosine by, with room to spare: rows this near the minimum
    // similarity are kept until they are scored exactly.
    private const float Rounding = 0.01f;

    private readonly IndexSnapshot _snapshot;
    private readonly RetrievalPolicy _policy;
    private readonly long _now;
    private readonly float[] _query;
    private readonly float _querySum;
    private readonly float[] _ranks;
    private readonly int _rows;

    public CandidateScan(IndexSnapshot snapshot, in RetrievalQuery query, RetrievalPolicy policy)
    {
        _snapshot = snapshot;
        _policy = policy;
        _now = query.Now.UtcTicks;
        Stride = snapshot.Segments[0].Stride;
        _query = new float[Stride];
        query.Vector.CopyTo(_query, 0);
        _querySum = 0;
        foreach (var x in _query)
            _querySum += x;
        ByRecency = policy.Strategy == RetrievalStrategy.Recent || !_query.AsSpan().ContainsAnyExcept(0f);
        _rows = snapshot.Rows;
        _ranks = ArrayPool<float>.Shared.Rent(_rows + Vector256<float>.Count);
        Rank();
    }

    /// <summary>Rows that time, strategy and similarity allow; similarity to within the rounding of 8 bits.</summary>
    public int Eligible { get; private set; }

    /// <summary>True when similarity does not count: by policy, or because the query is empty and similar to nothing.</summary>
    public bool ByRecency { get; }

    public int Stride { get; }

    /// <summary>The answers that rows of this index have, if few enough to be labels.</summary>
    public IReadOnlyList<string> Answers => _snapshot.Answers;

    public void Dispose() => ArrayPool<float>.Shared.Return(_ranks);

    /// <summary>True when the last batch took all that its filter allows.</summary>
    public bool Exhausted { get; private set; }

    /// <summary>Takes the best rows not taken before; those less similar than the policy's minimum fall out.</summary>
    public List<Candidate> Next(int count, RowFilter filter)
    {
        var best = new RankHeap(count);
        var ranks = _ranks.AsSpan(0, _rows);
        var row = 0;
        for (; row + Vector256<float>.Count <= _rows; row += Vector256<float>.Count)
        {
            var above = Vector256.GreaterThanOrEqual(
                Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(ranks), (nuint)row), Vector256.Create(best.Threshold));
            for (var bits = above.ExtractMostSignificantBits(); bits != 0; bits &= bits - 1)
                Offer(row + BitOperations.TrailingZeroCount(bits), best, filter);
        }

        for (; row < _rows; row++)
        {
            if (_ranks[row] >= best.Threshold)
                Offer(row, best, filter);
        }

        Exhausted = best.Count < count;
        var taken = new List<Candidate>(best.Count);
        foreach (var position in best.Rows)
        {
            _ranks[position] = float.NegativeInfinity;
            var (segment, at) = Locate(position);
            if (Score(segment, at) is { } candidate)
                taken.Add(candidate);
        }

        return taken;
    }

    private void Offer(int position, RankHeap best, RowFilter filter)
    {
        if (float.IsNegativeInfinity(_ranks[position]))
            return;
        if (!filter.IsNone)
        {
            var (segment, row) = Locate(position);
            if (!filter.Allows(segment, row))
                return;
        }

        best.Offer(_ranks[position], position);
    }

    private (DemonstrationSegment Segment, int Row) Locate(int position)
    {
        var segments = _snapshot.Segments;
        var i = 0;
        while (i < segments.Length - 1 && position >= segments[i].Count)
            position -= segments[i++].Count;
        return (segments[i], position);
    }

    /// <summary>Null when the exact similarity falls short of what the policy asks for.</summary>
    private Candidate? Score(DemonstrationSegment segment, int row)
    {
        var similarity = Math.Clamp(
            QuantisedVector.Dot(segment.HighOf(row), segment.LowOf(row), segment.Scale[row], _query, _querySum), -1f, 1f);
        if (!ByRecency && similarity < _policy.MinimumSimilarity)
            return null;

        var age = TimeSpan.FromTicks(_now - segment.ApprovedTicks[row]);
        var recency = _policy.HalfLife is { } halfLife ? Math.Pow(2, -(age / halfLife)) : 1;
        var disagreement = 1 + _policy.DisagreementWeight * segment.Disagreement[row];
        return new(segment, row, similarity, recency, disagreement);
    }

    private void Rank()
    {
        fixed (float* ranks = _ranks)
        {
            if (ByRecency)
                RankByRecency(ranks);
            else
                RankBySimilarity(ranks);
        }
    }

    private void RankByRecency(float* ranks)
    {
        var position = 0;
        for (var s = 0; s < _snapshot.Segments.Length; s++)
        {
            var segment = _snapshot.Segments[s];
            var count = _snapshot.CountOf(s);
            for (var row = 0; row < count; row++, position++)
            {
                var eligible = IsEligible(segment, row);
                // Ages in float differ by one part in ten million; the batch is sorted by the exact time.
                ranks[position] = eligible ? -(float)(_now - segment.ApprovedTicks[row]) : float.NegativeInfinity;
                if (eligible)
                    Eligible++;
            }
        }
    }

    private bool IsEligible(DemonstrationSegment segment, int row) =>
        segment.DiedAt[row] > _snapshot.Version
        && segment.ApprovedTicks[row] <= _now
        && (_policy.Strategy != RetrievalStrategy.SimilarFixed || segment.IsFixed[row]);

    private void RankBySimilarity(float* ranks)
    {
        var bytes = stackalloc sbyte[Stride];
        var words = stackalloc short[Stride];
        var query = ScanQuery.From(_query, bytes, words, Stride, out var queryScale);
        var dots = stackalloc int[Block];
        var weighing = new RowWeights(_policy, _now, queryScale, (float)_policy.MinimumSimilarity - Rounding, _snapshot.Version);
        for (var s = 0; s < _snapshot.Segments.Length; s++)
        {
            var segment = _snapshot.Segments[s];
            var count = _snapshot.CountOf(s);
            fixed (byte* high = &segment.High[segment.HighOffset])
            {
                for (var row = 0; row < count; row += Block)
                {
                    var rows = Math.Min(Block, count - row);
                    ScanKernel.Dots(high + (nint)row * Stride, rows, query, dots);
                    Eligible += weighing.Rank(segment, row, rows, dots, ranks);
                    ranks += rows;
                }
            }
        }
    }
}
