using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Judging;

public enum ServedMode
{
    /// <summary>Without what the judge said.</summary>
    Blind,

    /// <summary>With the judge's verdict filled in.</summary>
    Suggested,
}

/// <summary>How the review queue put a pair before people.</summary>
/// <param name="Suggestion">What the judge said, shown or withheld: pass or fail.</param>
/// <param name="ValidatorVersion">Of the judge whose word it is; begins with <see cref="ByProposal"/> when somebody else proposed
/// it.</param>
public sealed record Served(SpanId Span, MetricId Metric, ServedMode Mode, string ValidatorVersion, Outcome Suggestion)
{
    public const string ByProposal = "proposed:";
}

/// <summary>Labels of served pairs against what the judge said.</summary>
/// <param name="Agreed">Of <paramref name="Labels"/>, those that say what the judge said.</param>
public sealed record ServedAgreement(ServedMode Mode, long Agreed, long Labels);

/// <summary>The newest decided verdict of a labelled pair, with the segments of its span; labels of picked items are left out.</summary>
/// <param name="Chance">With which the pair was drawn; 0 for one that nobody drew.</param>
/// <param name="Segments">As of <see cref="Core.Metrics.Segments"/>.</param>
public sealed record SegmentedLabel(
    MetricVersionId MetricVersion, string ValidatorVersion, bool Judge, bool Human, double Chance, IReadOnlyList<string> Segments);

/// <summary>One person's newest blind label of a pair.</summary>
public sealed record PersonsAnswer(SpanId Span, string Author, bool Passed);

public interface IServingStore
{
    /// <summary>Records how pairs are served; a pair served before keeps its mode and takes the newer suggestion.</summary>
    /// <returns>As they are served, in the order given.</returns>
    Task<IReadOnlyList<Served>> ServeAsync(ProjectId project, IReadOnlyList<Served> items, DateTimeOffset at, CancellationToken ct);

    /// <returns>Null when the queue never served the pair with a decided verdict.</returns>
    Task<Served?> FindAsync(ProjectId project, SpanId span, MetricId metric, CancellationToken ct);

    /// <summary>How pairs of these spans were served so far.</summary>
    Task<IReadOnlyList<Served>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);

    /// <summary>Agreement of people with the judge where they saw its word and where they did not; random audits are left out, since they
    /// are other items.</summary>
    Task<IReadOnlyList<ServedAgreement>> AgreementAsync(ProjectId project, MetricId metric, CancellationToken ct);

    Task<IReadOnlyList<SegmentedLabel>> SegmentedLabelsAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Blind labels of pairs that two people or more labelled blind.</summary>
    Task<IReadOnlyList<PersonsAnswer>> RatingsAsync(ProjectId project, MetricId metric, CancellationToken ct);
}
