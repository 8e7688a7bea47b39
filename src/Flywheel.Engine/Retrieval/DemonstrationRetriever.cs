using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Flywheel.Core.Metrics;
using Flywheel.Core.Observability;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>Finds demonstrations for prompts: one in-memory index for each (project, purpose, node or metric).</summary>
/// <remarks>
/// The indexes are fed from the database's change sequence and never the other way round. Before each search the newest change is
/// asked for, so a demonstration that was approved is found by the next query, and a recalled one is gone from it; when another process
/// did it, a tenth of a second later.
/// </remarks>
public sealed class DemonstrationRetriever(IDemonstrationStore store, IEmbedder embedder, TimeProvider clock) : IDisposable
{
    const int ChangesAtOnce = 5_000;

    readonly ConcurrentDictionary<IndexKey, Partition> _partitions = new();
    readonly Dictionary<Guid, (IndexKey Key, ulong Mark)> _homes = [];
    readonly SemaphoreSlim _refreshing = new(1);
    long _seen;

    public IEmbedder Embedder => embedder;

    /// <param name="target">Node name for a task prompt, metric name for a judge's.</param>
    public async Task<RetrievalResult> SearchAsync(
        ProjectId project, DemonstrationPurpose purpose, string target, string input, RetrievalPolicy policy, CancellationToken ct)
    {
        using var activity = FlywheelActivities.Source.StartActivity("flywheel.retrieve");
        var started = clock.GetTimestamp();
        await RefreshAsync(ct);
        if (!_partitions.TryGetValue(new IndexKey(project, purpose, target), out var partition))
            return new RetrievalResult([], 0, 0);
        var index = partition.Index;
        var vector = await embedder.EmbedQueryAsync(input, index.Lexicon, ct);
        var result = index.Retrieve(new RetrievalQuery(input, vector, clock.GetUtcNow()), policy);
        FlywheelMeter.RetrievalDuration.Record(
            clock.GetElapsedTime(started).TotalSeconds, new KeyValuePair<string, object?>("flywheel.purpose", Wire.Name(purpose)));
        return result;
    }

    /// <summary>The index behind a node's or a metric's demonstrations; null while there are none.</summary>
    public async Task<DemonstrationIndex?> IndexAsync(ProjectId project, DemonstrationPurpose purpose, string target, CancellationToken ct)
    {
        await RefreshAsync(ct);
        return _partitions.GetValueOrDefault(new IndexKey(project, purpose, target))?.Index;
    }

    /// <summary>
    /// Names the set of demonstrations in use: equal for equal sets, in every process and after every restart. As of the last search
    /// or refresh.
    /// </summary>
    public string PoolVersion(ProjectId project, DemonstrationPurpose purpose, string target) =>
        _partitions.TryGetValue(new IndexKey(project, purpose, target), out var partition) ? partition.Version : "empty";

    /// <summary>Takes in what changed since the last time; a cheap look when nothing did.</summary>
    public async Task RefreshAsync(CancellationToken ct)
    {
        if (await store.LatestChangeAsync(ct) <= Volatile.Read(ref _seen))
            return;
        await _refreshing.WaitAsync(ct);
        try
        {
            while (true)
            {
                var changes = await store.ChangesAsync(_seen, embedder.Fingerprint, ChangesAtOnce, ct);
                if (changes.Count == 0)
                    return;
                foreach (var change in changes)
                    Apply(change);
                Volatile.Write(ref _seen, changes.Max(change => change.Sequence));
            }
        }
        finally
        {
            _refreshing.Release();
        }
    }

    void Apply(DemonstrationChange change)
    {
        if (change is { Demonstration: { State: DemonstrationState.Approved, ApprovedAt: { } approved } it, Vector: { } vector })
        {
            var key = new IndexKey(it.Project, it.Purpose, it.Target);
            if (_homes.TryGetValue(it.Id, out var old) && old.Key != key)
                Remove(it.Id, old);
            var mark = Mark(it.Id, approved);
            var partition = _partitions.GetOrAdd(
                key, _ => new Partition(new DemonstrationIndex(embedder.Fingerprint, embedder.Dimensions)));
            partition.Index.Upsert(new IndexedDemonstration(
                it.Id, it.Input, it.Output, it.IsFixed, approved, it.Disagreement, it.EndUser, Expand(vector)));
            partition.Toggle(mark ^ (old.Key == key ? old.Mark : 0));
            _homes[it.Id] = (key, mark);
        }
        else if (_homes.TryGetValue(change.Id, out var home))
        {
            Remove(change.Id, home);
        }
    }

    void Remove(Guid id, (IndexKey Key, ulong Mark) home)
    {
        _homes.Remove(id);
        _partitions[home.Key].Index.Remove(id);
        _partitions[home.Key].Toggle(home.Mark);
    }

    static ulong Mark(Guid id, DateTimeOffset approved)
    {
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[16..], approved.UtcTicks);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes));
    }

    static float[] Expand(StoredVector vector)
    {
        var values = new float[vector.Values.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = vector.Values[i] * vector.Scale;
        return values;
    }

    public void Dispose() => _refreshing.Dispose();

    /// <param name="index">Answers searches.</param>
    sealed class Partition(DemonstrationIndex index)
    {
        ulong _marks;

        public DemonstrationIndex Index => index;

        /// <summary>Exclusive or of what is in it, so that the order of coming and going does not matter.</summary>
        public string Version => Volatile.Read(ref _marks).ToString("x16", CultureInfo.InvariantCulture);

        public void Toggle(ulong mark) => Volatile.Write(ref _marks, _marks ^ mark);
    }

    readonly record struct IndexKey(ProjectId Project, DemonstrationPurpose Purpose, string Target);
}
