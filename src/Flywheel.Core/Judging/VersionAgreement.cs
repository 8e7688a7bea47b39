using Flywheel.Core.Metrics;

namespace Flywheel.Core.Judging;

/// <summary>How one judge version does against blind labels; or all versions of one metric version together.</summary>
/// <param name="ValidatorVersion">Null where several judge versions are pooled.</param>
/// <param name="Node">Null for all nodes.</param>
/// <param name="Verdicts">Number of decided verdicts, labelled or not.</param>
/// <param name="Rates">Of the decided verdicts; its labels are all that is known of the judge.</param>
public sealed record VersionAgreement(
    int MetricVersion, string? ValidatorVersion, string? Node, long Verdicts, TrueRates Rates, Confusion Counts)
{
    /// <summary>Number of judge versions in it.</summary>
    public int JudgeVersions { get; init; } = 1;

    /// <summary>Start of the time slice, UTC; null for all time.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>Such as <c>tenant:acme</c>; null for all.</summary>
    public string? Segment { get; init; }

    /// <param name="cells">Of decided verdicts.</param>
    public static VersionAgreement Of(int metricVersion, string? validatorVersion, string? node, IReadOnlyCollection<MetricCell> cells)
    {
        long Count(bool judge, bool? human) =>
            cells.Where(cell => cell.Outcome == (judge ? Outcome.Pass : Outcome.Fail) && cell.Human == human).Sum(cell => cell.Count);
        // All nodes are one: the judge is asked about, not its slices.
        var rates = TrueRates.Of(cells.Select(cell => cell with { Node = "" }));
        return new(
            metricVersion, validatorVersion, node, cells.Sum(cell => cell.Count), rates,
            new Confusion(Count(true, true), Count(true, false), Count(false, true), Count(false, false)));
    }
}
