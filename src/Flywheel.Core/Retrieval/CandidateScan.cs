namespace Flywheel.Core.Retrieval;

/// <summary>Ranks every row of a snapshot once, then hands out the best in batches, exactly scored.</summary>
/// <remarks>
/// <para>
/// Rows are ranked by <see cref="RowRanks"/>; a batch is scored again from 16 bits and the full query, and holds enough spare
/// rows that the best of it are the best there are (recall@10 is measured in bench/Flywheel.Bench.Retrieval).
/// </para>
/// <para>
/// A batch may be asked for under a filter (one answer, without these end users): that reads ranks, and in a large index the
/// vectors of rows that only the filter brings near the best.
/// </para>
/// </remarks>
internal sealed class CandidateScan : IDisposable
{
    private readonly IndexSnapshot _snapshot;
    private readonly RetrievalPolicy _policy;
    private readonly long _now;
    private readonly float[] _query;
    private readonly float _querySum;
    private readonly RowRanks _ranks;

    public CandidateScan(IndexSnapshot snapshot, in RetrievalQuery query, RetrievalPolicy policy, Estimation estimation)
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
        _ranks = ByRecency
            ? RowRanks.ByRecency(snapshot, policy, _now)
            : RowRanks.BySimilarity(snapshot, policy, _now, _query, estimation);
    }

    /// <summary>Rows that time, strategy and similarity allow; similarity as far as the first look tells.</summary>
    public int Eligible => _ranks.Eligible;

    /// <summary>True when similarity does not count: by policy, or because the query is empty and similar to nothing.</summary>
    public bool ByRecency { get; }

    public int Stride { get; }

    /// <summary>The answers that rows of this index have, if few enough to be labels.</summary>
    public IReadOnlyList<string> Answers => _snapshot.Answers;

    public void Dispose() => _ranks.Dispose();

    /// <summary>True when the last batch took all that its filter allows.</summary>
    public bool Exhausted { get; private set; }

    /// <summary>Takes the best rows not taken before; those less similar than the policy's minimum fall out.</summary>
    public List<Candidate> Next(int count, RowFilter filter)
    {
        var best = _ranks.Best(count, filter);
        Exhausted = best.Count < count;
        var taken = new List<Candidate>(best.Count);
        foreach (var position in best.Rows)
        {
            _ranks.Take(position);
            var (segment, row) = _ranks.Locate(position);
            if (Score(segment, row) is { } candidate)
                taken.Add(candidate);
        }

        return taken;
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
}
