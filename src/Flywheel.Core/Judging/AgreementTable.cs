using Flywheel.Core.Metrics;

namespace Flywheel.Core.Judging;

/// <summary>Cuts a metric's counts into the rows of its judge's agreement with people.</summary>
/// <param name="versions">All versions of the metric.</param>
/// <param name="cells">Its counts.</param>
public sealed class AgreementTable(IReadOnlyList<Metric> versions, IReadOnlyList<MetricCell> cells)
{
    /// <summary>Those with the most labels.</summary>
    const int MostSegments = 50;

    readonly Dictionary<MetricVersionId, int> _numbers = versions.ToDictionary(version => version.VersionId, version => version.Number);

    IEnumerable<MetricCell> Decided => cells.Where(cell => cell.Outcome is Outcome.Pass or Outcome.Fail);

    /// <summary>Judge versions, newest first.</summary>
    /// <param name="byNode">Each version is followed by one row per node.</param>
    public IReadOnlyList<VersionAgreement> Versions(bool byNode) =>
    [
        .. Decided.GroupBy(cell => (cell.MetricVersion, cell.ValidatorVersion))
            .OrderByDescending(group => Number(group.Key.MetricVersion))
            .ThenByDescending(group => group.Max(cell => cell.Bucket))
            .ThenBy(group => group.Key.ValidatorVersion, StringComparer.Ordinal)
            .SelectMany(group => Rows(Number(group.Key.MetricVersion), group.Key.ValidatorVersion, [.. group], byNode)),
    ];

    /// <summary>By metric version over all its judge versions, the newest first, each followed by its slices.</summary>
    /// <param name="segmented">Labels to cut by segment; empty for no such cut.</param>
    /// <exception cref="RequestException">The slicing makes too many slices.</exception>
    public IReadOnlyList<VersionAgreement> Pooled(SummarySlicing slicing, IReadOnlyList<SegmentedLabel> segmented) =>
    [
        .. Decided.GroupBy(cell => cell.MetricVersion)
            .OrderByDescending(group => Number(group.Key))
            .SelectMany(group => (IEnumerable<VersionAgreement>)
            [
                Pool(Number(group.Key), null, [.. group]),
                .. Slices(Number(group.Key), group, slicing),
                .. Segments(Number(group.Key), segmented.Where(label => label.MetricVersion == group.Key)),
            ]),
    ];

    int Number(MetricVersionId version) => _numbers.GetValueOrDefault(version);

    static IEnumerable<VersionAgreement> Rows(int number, string validator, MetricCell[] cells, bool byNode)
    {
        yield return VersionAgreement.Of(number, validator, null, cells);
        if (byNode)
            foreach (var node in cells.GroupBy(cell => cell.Node).OrderBy(node => node.Key, StringComparer.Ordinal))
                yield return VersionAgreement.Of(number, validator, node.Key, [.. node]);
    }

    static IEnumerable<VersionAgreement> Slices(int number, IEnumerable<MetricCell> cells, SummarySlicing slicing) =>
        slicing is { ByNode: false, Bucket: null }
            ? []
            : slicing.Slices(cells).Select(slice => Pool(number, slice.Key.Node, [.. slice]) with { From = slice.Key.From });

    /// <summary>Segments are no part of the counts: these are made of the labelled verdicts alone.</summary>
    static IEnumerable<VersionAgreement> Segments(int number, IEnumerable<SegmentedLabel> labels) => labels
        // Single users are no segments to compare.
        .SelectMany(label => label.Segments.Where(segment => !segment.StartsWith("user:", StringComparison.Ordinal)).Distinct()
            .Select(segment => (segment, label)))
        .GroupBy(each => each.segment, each => each.label)
        .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal).Take(MostSegments)
        .Select(group => Pool(number, null, [.. group.Select(Cell)]) with { Segment = group.Key });

    static MetricCell Cell(SegmentedLabel label) => new(
        label.MetricVersion, label.ValidatorVersion, "", default, label.Judge ? Outcome.Pass : Outcome.Fail, label.Human, 1, label.Chance);

    static VersionAgreement Pool(int number, string? node, MetricCell[] cells) =>
        VersionAgreement.Of(number, null, node, cells) with
        {
            JudgeVersions = cells.Select(cell => cell.ValidatorVersion).Distinct(StringComparer.Ordinal).Count(),
        };
}
