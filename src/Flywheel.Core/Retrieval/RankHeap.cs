namespace Flywheel.Core.Retrieval;

/// <summary>Keeps the highest ranks offered; of equal ones the later position, which is the newer row.</summary>
internal sealed class RankHeap(int capacity)
{
    private readonly (float Rank, int Position)[] _heap = new (float, int)[capacity];

    public int Count { get; private set; }

    /// <summary>What a rank must reach to be worth offering.</summary>
    public float Threshold => Count < _heap.Length ? float.MinValue : _heap[0].Rank;

    /// <summary>Positions kept, in no particular order.</summary>
    public IEnumerable<int> Rows => _heap.Take(Count).Select(entry => entry.Position);

    public void Offer(float rank, int position)
    {
        var entry = (rank, position);
        if (Count < _heap.Length)
        {
            var at = Count++;
            for (; at > 0 && Less(entry, _heap[(at - 1) / 2]); at = (at - 1) / 2)
                _heap[at] = _heap[(at - 1) / 2];
            _heap[at] = entry;
        }
        else if (Less(_heap[0], entry))
        {
            ReplaceLowest(entry);
        }
    }

    private void ReplaceLowest((float, int) entry)
    {
        var at = 0;
        while (2 * at + 1 < _heap.Length)
        {
            var child = 2 * at + 1;
            if (child + 1 < _heap.Length && Less(_heap[child + 1], _heap[child]))
                child++;
            if (!Less(_heap[child], entry))
                break;
            _heap[at] = _heap[child];
            at = child;
        }

        _heap[at] = entry;
    }

    private static bool Less((float Rank, int Position) a, (float Rank, int Position) b) =>
        a.Rank < b.Rank || (a.Rank == b.Rank && a.Position < b.Position);
}
