namespace Flywheel.Core.Retrieval;

/// <summary>How rows are cut into segments, so that growth never copies rows and dead rows never pile up.</summary>
internal static class SegmentPlan
{
    private const int Smallest = 64;
    private const int Largest = 16_384;

    /// <summary>Capacity of the next segment: as many rows as there are, within limits, so segments stay few and waste small.</summary>
    public static int CapacityAfter(int rows) => Math.Clamp(rows, Smallest, Largest);

    /// <summary>
    /// The segments after a rewrite of one with too many dead rows, and where its rows are now; null when it may stay.
    /// </summary>
    /// <remarks>
    /// Rewriting at a fifth dead costs at most four copied rows a removal. A shrunken segment is joined with a
    /// neighbour at most twice its size, which keeps segments few and the cost in proportion.
    /// </remarks>
    public static (DemonstrationSegment[] Segments, Dictionary<Guid, Address> Moved)? Compacted(
        DemonstrationSegment[] segments, DemonstrationSegment segment, SegmentLayout layout)
    {
        var at = Array.IndexOf(segments, segment);
        if (at < 0 || segment.Dead * 5 <= segment.Count)
            return null;

        var last = segments.Length - 1;
        int first = at, end = at;
        if (at < last)
        {
            if (at > 0 && Joins(segments[at - 1], segment))
                first--;
            else if (at + 1 < last && Joins(segments[at + 1], segment))
                end++;
        }

        var live = 0;
        for (var i = first; i <= end; i++)
            live += segments[i].Count - segments[i].Dead;
        if (live == 0 && (at < last || segment.Count == segment.Capacity))
            return ([.. segments[..first], .. segments[(end + 1)..]], []);

        // The tail goes on growing; a segment that is done holds just its rows.
        var rewritten = new DemonstrationSegment(at == last ? segment.Capacity : live, layout);
        var moved = new Dictionary<Guid, Address>(live);
        for (var i = first; i <= end; i++)
        {
            var source = segments[i];
            for (var row = 0; row < source.Count; row++)
            {
                if (source.DiedAt[row] != DemonstrationSegment.Alive)
                    continue;
                moved[source.Ids[row]] = new(rewritten, rewritten.Count);
                rewritten.AppendFrom(source, row);
            }
        }

        return ([.. segments[..first], rewritten, .. segments[(end + 1)..]], moved);
    }

    private static bool Joins(DemonstrationSegment neighbour, DemonstrationSegment segment)
    {
        int there = neighbour.Count - neighbour.Dead, here = segment.Count - segment.Dead;
        return there <= 2 * here && there + here <= Largest;
    }
}
