using Flywheel.Core.Judging.Aligning;

namespace Flywheel.Core.Judging.Anchoring;

/// <summary>Which labelled cases are frozen.</summary>
public static class AnchorChoice
{
    /// <summary>As many passes as fails where there are, spread over the nodes, one a trace, the newest first.</summary>
    /// <returns>Fewer than <paramref name="size"/> where there are fewer.</returns>
    public static IReadOnlyList<Anchor> Of(IReadOnlyList<AlignmentCase> cases, int size)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        var single = cases.OrderByDescending(each => each.At).ThenBy(each => each.Label).DistinctBy(each => each.Trace).ToArray();
        var (passes, fails) = (Spread(single.Where(each => each.Passed)), Spread(single.Where(each => !each.Passed)));
        var ofPasses = Math.Min(passes.Count, Math.Max(size - size / 2, size - fails.Count));
        return [.. passes.Take(ofPasses).Concat(fails.Take(size - ofPasses)).Select(each => new Anchor(each.Span, each.Passed))];
    }

    /// <summary>One of each node, then a second of each, and so on.</summary>
    static List<AlignmentCase> Spread(IEnumerable<AlignmentCase> cases) =>
    [
        .. cases.GroupBy(each => each.Node, StringComparer.Ordinal)
        .SelectMany(node => node.Select((each, rank) => (Case: each, Rank: rank)))
            .OrderBy(each => each.Rank).ThenByDescending(each => each.Case.At).ThenBy(each => each.Case.Label).Select(each => each.Case),
    ];
}
