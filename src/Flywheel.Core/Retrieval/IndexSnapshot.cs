namespace Flywheel.Core.Retrieval;

/// <summary>One state of an index, which readers keep for a whole query while the writer goes on.</summary>
/// <param name="Segments">All but the last are read up to their own count.</param>
/// <param name="TailCount">Rows of the last segment that belong to this state.</param>
/// <param name="Version">Rows that died at this version or before are gone.</param>
/// <param name="Live">Rows that a scan would find.</param>
/// <param name="Answers">The labels in use; empty when answers are too many to be labels.</param>
internal sealed record IndexSnapshot(
    DemonstrationSegment[] Segments, int TailCount, long Version, int Live, string[] Answers)
{
    public static IndexSnapshot Empty { get; } = new([], 0, 0, 0, []);

    /// <summary>Rows to scan, the dead among them included.</summary>
    public int Rows
    {
        get
        {
            var rows = TailCount;
            for (var i = 0; i < Segments.Length - 1; i++)
                rows += Segments[i].Count;
            return rows;
        }
    }

    public int CountOf(int segment) => segment == Segments.Length - 1 ? TailCount : Segments[segment].Count;

    /// <summary>All rows, one segment after another, in blocks of at most so many.</summary>
    public IEnumerable<RowBlock> Blocks(int size)
    {
        var position = 0;
        for (var s = 0; s < Segments.Length; s++)
        {
            var count = CountOf(s);
            for (var row = 0; row < count; row += size)
            {
                var block = new RowBlock(Segments[s], row, Math.Min(size, count - row), position);
                position += block.Count;
                yield return block;
            }
        }
    }
}

/// <summary>Rows of a segment that lie one behind another.</summary>
/// <param name="Row">The first, in the segment.</param>
/// <param name="Position">The first, among all rows of the snapshot.</param>
internal readonly record struct RowBlock(DemonstrationSegment Segment, int Row, int Count, int Position);
