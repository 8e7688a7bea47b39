using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Flywheel.Core.Retrieval;

/// <summary>The rank of every row of a snapshot for a query, and the highest among those that a filter allows.</summary>
/// <remarks>
/// <para>
/// Relevance is similarity^g * 2^(-age / h) * (1 + b * disagreement). Ranking by its g-th root gives the same order
/// and is similarity times a weight, so recency and disagreement cost a row one multiplication.
/// </para>
/// <para>
/// A small index is ranked from its 8-bit vectors. A large one would read them from memory beyond the caches, so there a row
/// is ranked by what one bit a dimension says its similarity is at most, some standard deviations above the estimate
/// (<see cref="BinaryCode"/>, <see cref="Estimation"/>), and only rows that could still be among the best are ranked from their
/// vectors; where those would be many, because the query is like no row more than like others, a second bit sorts most of them
/// out first. Who is missed is an estimate that was further off (recall is measured in bench/Flywheel.Bench.Retrieval); a
/// changed row is never missed for being new, and nothing is trained or rebuilt.
/// </para>
/// </remarks>
internal sealed unsafe class RowRanks : IDisposable
{
    // What 8-bit rounding of both sides can move a cosine by, with room to spare: rows this near the minimum
    // similarity are kept until they are scored exactly.
    private const float Rounding = 0.01f;

    private readonly IndexSnapshot _snapshot;
    private readonly RowWeights _weights;
    private readonly float[] _ranks;
    private readonly QuantisedQuery? _query;
    private readonly float[] _vector = [];
    private readonly Estimation _estimation = Estimation.Default;
    // A bit a row: ranked from its vector, not from an estimate. Null when all are.
    private readonly ulong[]? _sharp;
    private bool _isCloser;

    private RowRanks(IndexSnapshot snapshot, RetrievalPolicy policy, long now)
    {
        _snapshot = snapshot;
        Count = snapshot.Rows;
        _ranks = ArrayPool<float>.Shared.Rent(Count);
        _weights = new(policy, now, (float)policy.MinimumSimilarity - Rounding, snapshot.Version);
        Eligible = RankPasses.ByRecency(snapshot, policy.Strategy == RetrievalStrategy.SimilarFixed, now, _ranks);
    }

    private RowRanks(IndexSnapshot snapshot, RetrievalPolicy policy, long now, float[] query, Estimation estimation)
    {
        _snapshot = snapshot;
        Count = snapshot.Rows;
        _ranks = ArrayPool<float>.Shared.Rent(Count);
        _weights = new(policy, now, (float)policy.MinimumSimilarity - Rounding, snapshot.Version);
        _query = new(query);
        _vector = query;
        _estimation = estimation;
        if ((long)Count * query.Length < estimation.FromBytes)
        {
            Eligible = RankPasses.ByVectors(snapshot, _weights, _query, _ranks);
        }
        else
        {
            _sharp = ArrayPool<ulong>.Shared.Rent((Count >> 6) + 1);
            Array.Clear(_sharp);
            Eligible = RankPasses.BySigns(snapshot, _weights, query, estimation.Deviations, _ranks);
        }
    }

    /// <summary>Rows with a rank, the ineligible among them included.</summary>
    public int Count { get; }

    /// <summary>Rows that time, strategy and similarity allow; similarity as far as the first look tells.</summary>
    public int Eligible { get; }

    /// <summary>Ranks by similarity, recency and disagreement.</summary>
    /// <param name="query">Padded with zeros to the stored length.</param>
    public static RowRanks BySimilarity(
        IndexSnapshot snapshot, RetrievalPolicy policy, long now, float[] query, Estimation estimation) =>
        new(snapshot, policy, now, query, estimation);

    /// <summary>Ranks by time of approval alone.</summary>
    public static RowRanks ByRecency(IndexSnapshot snapshot, RetrievalPolicy policy, long now) => new(snapshot, policy, now);

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_ranks);
        if (_sharp is not null)
            ArrayPool<ulong>.Shared.Return(_sharp);
    }

    /// <summary>Takes a row out, for good.</summary>
    public void Take(int position) => _ranks[position] = float.NegativeInfinity;

    /// <summary>The highest ranks that the filter allows; fewer than <paramref name="count"/> only when no more are eligible.</summary>
    public RankHeap Best(int count, RowFilter filter)
    {
        var highest = Highest(count, float.MinValue, filter);
        if (_sharp is null)
            return highest;

        // Those that promise most are looked at first: others must reach the least of them.
        var floor = Floor(highest, count);
        if (!_isCloser && AreMany(floor, filter))
        {
            LookCloser(floor);
            // Better bounds; and where many are near the best, more of them tell better what the others must reach.
            floor = Math.Max(floor, Floor(Highest(2 * count, floor, filter), count));
        }

        return Sharpest(count, floor, filter);
    }

    private RankHeap Highest(int count, float floor, RowFilter filter)
    {
        var highest = new RankHeap(count);
        for (var at = Next(0, floor, filter); at >= 0; at = Next(at + 1, Math.Max(floor, highest.Threshold), filter))
            highest.Offer(_ranks[at], at);
        return highest;
    }

    /// <summary>What a row must reach at least to be among the best, seeing those that promise most.</summary>
    private float Floor(RankHeap promising, int count)
    {
        foreach (var position in promising.Rows)
            Prefetch(position);
        var best = new RankHeap(count);
        foreach (var position in promising.Rows)
        {
            if (Sharpened(position) is > float.NegativeInfinity and var rank)
                best.Offer(rank, position);
        }

        return best.Threshold;
    }

    /// <summary>True when so many rows could be among the best that reading their vectors would take longer than all second bits.</summary>
    private bool AreMany(float floor, RowFilter filter)
    {
        var allowed = Math.Max(_estimation.Few, Count / 64);
        for (var at = Next(0, floor, filter); at >= 0 && allowed >= 0; at = Next(at + 1, floor, filter))
            allowed--;
        return allowed < 0;
    }

    /// <summary>Lowers what rows have at most by their second bits; what is known from vectors stays.</summary>
    private void LookCloser(float floor)
    {
        var known = new List<(int Position, float Rank)>();
        for (var word = 0; word <= (Count - 1) >> 6; word++)
        {
            for (var bits = _sharp![word]; bits != 0; bits &= bits - 1)
            {
                var position = (word << 6) + BitOperations.TrailingZeroCount(bits);
                known.Add((position, _ranks[position]));
            }
        }

        RankPasses.ByBothBits(_snapshot, _weights, _vector, _estimation.Deviations, floor, _ranks.AsSpan(0, Count));
        foreach (var (position, rank) in known)
            _ranks[position] = rank;
        _isCloser = true;
    }

    /// <summary>The best by their vectors, among rows that may reach the floor.</summary>
    private RankHeap Sharpest(int count, float floor, RowFilter filter)
    {
        var best = new RankHeap(count);
        Span<int> batch = stackalloc int[16];
        for (int at = 0, waiting = 0; at >= 0;)
        {
            at = Next(at, Math.Max(best.Threshold, floor), filter);
            if (at >= 0)
            {
                Prefetch(at);
                batch[waiting++] = at++;
            }

            if (waiting < batch.Length && at >= 0)
                continue;
            foreach (var position in batch[..waiting])
            {
                if (Sharpened(position) is > float.NegativeInfinity and var rank)
                    best.Offer(rank, position);
            }

            waiting = 0;
        }

        return best;
    }

    public (DemonstrationSegment Segment, int Row) Locate(int position)
    {
        var segments = _snapshot.Segments;
        var i = 0;
        while (i < segments.Length - 1 && position >= segments[i].Count)
            position -= segments[i++].Count;
        return (segments[i], position);
    }

    /// <summary>
    /// The first row from <paramref name="from"/> on that the filter allows and whose rank reaches the threshold; -1 for none.
    /// </summary>
    private int Next(int from, float threshold, RowFilter filter)
    {
        for (var at = Reaching(from, threshold); at >= 0; at = Reaching(at + 1, threshold))
        {
            if (filter.IsNone)
                return at;
            var (segment, row) = Locate(at);
            if (filter.Allows(segment, row))
                return at;
        }

        return -1;
    }

    private int Reaching(int from, float threshold)
    {
        var at = new ReadOnlySpan<float>(_ranks, from, Count - from).IndexReaching(threshold);
        return at < 0 ? at : from + at;
    }

    /// <summary>Has the memory of a row's vector fetched, several rows' at a time, before it is needed.</summary>
    private void Prefetch(int position)
    {
        if (!Sse.IsSupported)
            return;
        var (segment, row) = Locate(position);
        // Pinned: the address stays.
        var vector = (byte*)Marshal.UnsafeAddrOfPinnedArrayElement(segment.High, segment.HighOffset + row * segment.Stride);
        for (var line = 0; line < segment.Stride; line += 64)
            Sse.Prefetch0(vector + line);
    }

    /// <summary>The rank from the 8-bit vector, once it is known the only one.</summary>
    private float Sharpened(int position)
    {
        ref var sharp = ref _sharp![position >> 6];
        var bit = 1UL << position;
        if ((sharp & bit) == 0)
        {
            sharp |= bit;
            var (segment, row) = Locate(position);
            _ranks[position] = _weights.Rank(segment, row, _query!.Cosine(segment, row));
        }

        return _ranks[position];
    }
}
