namespace Flywheel.Core.Retrieval;

/// <summary>The approved demonstrations of one project, node or metric, and embedding version, ready to be searched.</summary>
/// <remarks>
/// <para>
/// Any number of readers and writers may use it at once. Writers take turns; a reader works on the state that was
/// current when it began and waits for nobody. A change is visible to every query that starts after it returned, and
/// an upsert is seen whole: a reader finds the old row or the new one, never both or neither.
/// </para>
/// <para>
/// Every query looks at every row, at its vector or, in a large index, at a code an eighth as long (<see cref="RowRanks"/>); so
/// cost grows with the rows searched, not with changes: adding or removing a row takes constant time (amortised; segments with
/// more than a fifth of dead rows are rewritten), and nothing is ever trained or rebuilt. See
/// <see cref="DemonstrationSegment"/> for the memory a row takes.
/// </para>
/// </remarks>
public sealed class DemonstrationIndex
{
    private readonly Lock _writing = new();
    private readonly Dictionary<Guid, Address> _rows = [];
    private readonly AnswerCounts _answers = new();
    private readonly SegmentLayout _layout;
    private readonly Estimation _estimation;
    private IndexSnapshot _current = IndexSnapshot.Empty;

    /// <param name="fingerprint">Of the embedder whose vectors this index holds.</param>
    public DemonstrationIndex(string fingerprint, int dimensions)
        : this(fingerprint, dimensions, Estimation.Default)
    {
    }

    internal DemonstrationIndex(string fingerprint, int dimensions, Estimation estimation)
    {
        ArgumentException.ThrowIfNullOrEmpty(fingerprint);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        Fingerprint = fingerprint;
        Dimensions = dimensions;
        _layout = new(dimensions);
        _estimation = estimation;
    }

    public string Fingerprint { get; }

    public int Dimensions { get; }

    /// <summary>Word statistics of the rows held; embed queries with it.</summary>
    public Lexicon Lexicon { get; } = new();

    /// <summary>Rows that can be found.</summary>
    public int Count => Current.Live;

    /// <summary>Grows by one with every change.</summary>
    public long Version => Current.Version;

    /// <summary>What the segments hold, in bytes, without the caller's strings: vectors, columns, free rows.</summary>
    public long MemoryBytes => Current.Segments.Sum(segment => segment.MemoryBytes);

    private IndexSnapshot Current => Volatile.Read(ref _current);

    /// <summary>Adds a demonstration, or replaces the one with its id.</summary>
    public void Upsert(IndexedDemonstration demonstration)
    {
        ArgumentNullException.ThrowIfNull(demonstration);
        Require(demonstration.Vector, nameof(demonstration));
        if (!(demonstration.Disagreement is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(demonstration), demonstration.Disagreement, "Disagreement lies in [0, 1].");

        lock (_writing)
        {
            var version = _current.Version + 1;
            var replaced = _rows.TryGetValue(demonstration.Id, out var old);
            if (replaced)
                Forget(old, version);

            var features = TextFeatures.Of(demonstration.Text);
            Lexicon.Add(features);
            var segments = _current.Segments;
            if (segments.Length == 0 || segments[^1].Count == segments[^1].Capacity)
                segments = [.. segments, new(SegmentPlan.CapacityAfter(_current.Rows), _layout)];
            var tail = segments[^1];
            tail.Append(demonstration, _answers.Add(demonstration.Answer), Terms(features));
            _rows[demonstration.Id] = new(tail, tail.Count - 1);
            Publish(segments, version, _current.Live + (replaced ? 0 : 1));
            if (replaced)
                Compact(old.Segment);
        }
    }

    /// <summary>Removes a demonstration (recalled, deleted); false when it was not there.</summary>
    public bool Remove(Guid id)
    {
        lock (_writing)
        {
            if (!_rows.Remove(id, out var address))
                return false;
            var version = _current.Version + 1;
            Forget(address, version);
            Publish(_current.Segments, version, _current.Live - 1);
            Compact(address.Segment);
            return true;
        }
    }

    /// <summary>Chooses demonstrations for a prompt; deterministic for a state, a query and a policy.</summary>
    public RetrievalResult Retrieve(in RetrievalQuery query, RetrievalPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(query.Text);
        Require(query.Vector, nameof(query));
        var snapshot = Current;
        if (policy.Count == 0 || snapshot.Live == 0)
            return new([], 0, snapshot.Version);

        using var scan = new CandidateScan(snapshot, query, policy, _estimation);
        var chosen = new DemonstrationChoice(scan, query, policy, Lexicon).Choose();
        return new(chosen, scan.Eligible, snapshot.Version);
    }

    /// <summary>The rows nearest to a vector by cosine alone, nearest first: for votes, duplicates and novelty.</summary>
    /// <param name="without">Left out, as when a row is compared with the rest of its own pool.</param>
    public IReadOnlyList<Neighbour> Nearest(float[] vector, int count, Guid? without = null)
    {
        Require(vector, nameof(vector));
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        var snapshot = Current;
        if (count == 0 || snapshot.Live == 0)
            return [];

        var query = new RetrievalQuery("", vector, DateTimeOffset.MaxValue);
        using var scan = new CandidateScan(snapshot, query, NearestPolicy, _estimation);
        var pool = scan.Next(Math.Max(count + 32, count * 3 / 2), RowFilter.None);
        return
        [
            .. pool.Where(c => c.Id != without)
                .OrderByDescending(c => c.Similarity).ThenBy(c => c.Id)
                .Take(count)
                .Select(c => new Neighbour(c.Id, c.Answer, c.Similarity)),
        ];
    }

    /// <summary>Some rows with their vectors, spread over the index; the same ones while the index stays the same.</summary>
    internal IReadOnlyList<(Guid Id, string Text, string Answer, float[] Vector)> Sample(int count)
    {
        var snapshot = Current;
        var live = new List<(DemonstrationSegment Segment, int Row)>(snapshot.Live);
        foreach (var block in snapshot.Blocks(int.MaxValue))
        {
            for (var row = 0; row < block.Count; row++)
            {
                if (block.Segment.DiedAt[row] > snapshot.Version)
                    live.Add((block.Segment, row));
            }
        }

        var taken = Math.Min(count, live.Count);
        var sample = new (Guid, string, string, float[])[taken];
        for (var i = 0; i < taken; i++)
        {
            var (segment, row) = live[(int)((long)i * live.Count / taken)];
            var vector = new float[Dimensions];
            QuantisedVector.Read(segment.HighOf(row), segment.LowOf(row), segment.Scale[row], vector);
            sample[i] = (segment.Ids[row], segment.Texts[row], segment.Answers[row], vector);
        }

        return sample;
    }

    /// <summary>The ids held, in no particular order: for comparing the index with the table it follows.</summary>
    public IReadOnlyCollection<Guid> Ids()
    {
        lock (_writing)
            return [.. _rows.Keys];
    }

    public bool Contains(Guid id)
    {
        lock (_writing)
            return _rows.ContainsKey(id);
    }

    private static RetrievalPolicy NearestPolicy { get; } =
        new() { HalfLife = null, DisagreementWeight = 0, MinimumSimilarity = -1 };

    private void Forget(Address address, long version)
    {
        var (segment, row) = address;
        segment.Kill(row, version);
        Lexicon.Remove(segment.Texts[row]);
        _answers.Remove(segment.Answers[row]);
    }

    private void Publish(DemonstrationSegment[] segments, long version, int live) =>
        Volatile.Write(ref _current, new(segments, segments.Length == 0 ? 0 : segments[^1].Count, version, live, _answers.Common));

    private void Compact(DemonstrationSegment segment)
    {
        if (SegmentPlan.Compacted(_current.Segments, segment, _layout) is not { } plan)
            return;
        foreach (var (from, to) in plan.Moved)
            _rows[from] = to;
        Publish(plan.Segments, _current.Version, _current.Live);
    }

    private void Require(float[] vector, string name)
    {
        ArgumentNullException.ThrowIfNull(vector, name);
        if (vector.Length != Dimensions)
            throw new ArgumentException($"The vector has {vector.Length} dimensions; this index holds {Dimensions} ({Fingerprint}).", name);
        foreach (var x in vector)
        {
            if (!float.IsFinite(x))
                throw new ArgumentException("The vector holds a value that is not finite.", name);
        }
    }

    private static ReadOnlySpan<ushort> Terms(ReadOnlySpan<ulong> features)
    {
        var terms = new List<ushort>();
        foreach (var feature in features)
        {
            if (TextFeatures.Kind(feature) == FeatureKind.Word && terms.Count < QueryTerms.PerRow)
                terms.Add((ushort)TextFeatures.Bucket(feature));
        }

        return System.Runtime.InteropServices.CollectionsMarshal.AsSpan(terms);
    }
}

/// <summary>A row near a vector.</summary>
/// <param name="Similarity">Cosine in [-1, 1], to within 0.001.</param>
public readonly record struct Neighbour(Guid Id, string Answer, double Similarity);

/// <summary>Where a row is; the writer's own knowledge.</summary>
internal readonly record struct Address(DemonstrationSegment Segment, int Row);
