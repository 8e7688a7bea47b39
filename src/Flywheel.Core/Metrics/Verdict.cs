using Flywheel.Core.Judging;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Metrics;

public enum Outcome
{
    Pass,
    Fail,

    /// <summary>The validator looked and could not decide.</summary>
    Unsure,

    /// <summary>The validator was not asked; the reason says why.</summary>
    Skipped,

    /// <summary>The validator was asked and failed; the reason says how.</summary>
    Error,
}

/// <summary>What a validator says of one subject.</summary>
/// <param name="Score">The measured quantity in the validator's own unit (characters, distance …); null when it has none.</param>
/// <param name="Confidence">Probability in [0, 1] that a person would agree; null until calibrated.</param>
/// <param name="Reason">In words, for people: what was found, why it was skipped, or how it failed.</param>
/// <param name="CostUsd">US dollars of model calls; 0 for code.</param>
/// <param name="Demonstrations">Ids of the labelled cases that a judge was shown.</param>
/// <param name="Spans">
/// Where in the text it was found; null when the validator does not say. In a stored verdict they are positions in the stored
/// text: of a redacted one, the placeholders.
/// </param>
public sealed record Finding(
    Outcome Outcome, double? Score, string? Reason, double? Confidence = null, double CostUsd = 0,
    string? Model = null, IReadOnlyList<Guid>? Demonstrations = null, IReadOnlyList<FoundSpan>? Spans = null)
{
    /// <summary>In [0, 1] as a judge's vote or its own word gave it, not calibrated; null when it gave none.</summary>
    public double? RawConfidence { get; init; }

    /// <summary>Whether it stands above the line from which the judge's verdicts are promised to agree with people; null while there is no line.</summary>
    public bool? Stands { get; init; }

    /// <summary>What the judges said that led to it; null for what is no judge.</summary>
    public JudgeTrail? Trail { get; init; }

    public static Finding Pass(double? score = null, string? reason = null) => new(Outcome.Pass, score, reason);
    public static Finding Fail(string reason, double? score = null) => new(Outcome.Fail, score, reason);
    public static Finding Unsure(string reason, double? score = null) => new(Outcome.Unsure, score, reason);
    public static Finding Skipped(string reason) => new(Outcome.Skipped, null, reason);
    public static Finding Error(string reason) => new(Outcome.Error, null, reason);
}

/// <summary>A validator's recorded outcome on one span for one metric version.</summary>
/// <remarks>Keyed by (span, metric version, validator version, revision of the span's text); the newest for a span and metric is the current one.</remarks>
/// <param name="ValidatorVersion">Hash of everything that decided: code, settings, and for a judge its model and demonstrations.</param>
public sealed record Verdict(
    ProjectId Project, SpanId Span, MetricId Metric, MetricVersionId MetricVersion, string ValidatorVersion,
    Finding Finding, double LatencyMs, DateTimeOffset At)
{
    /// <summary>Of the span's text that it is about: 1, and one more for each change after the span was paired with metrics.</summary>
    public int Revision { get; init; } = 1;
}

/// <summary>One cell of a metric's counts: how many verdicts of one outcome met one gold label.</summary>
/// <param name="Bucket">Start of the UTC hour in which the spans started.</param>
/// <param name="Human">The blind label: true pass, false fail, null none yet.</param>
/// <param name="Chance">With which the labelled pairs were drawn for labelling, in (0, 1]; 0 when a person labelled them unasked or nobody
/// did; <see cref="Picked"/> when they were chosen for what they are.</param>
public sealed record MetricCell(
    MetricVersionId MetricVersion, string ValidatorVersion, string Node, DateTimeOffset Bucket, Outcome Outcome, bool? Human, long Count,
    double Chance = 0)
{
    /// <summary>Labels of pairs that were picked, such as likely failures: they estimate nothing.</summary>
    public const double Picked = -1;
}

public interface IMetricStore
{
    /// <summary>Rises with every change made through this store, so that what was read from it can be kept until then.</summary>
    long Revision => 0;

    /// <summary>Stores a new metric, or a new version of the metric that has this name.</summary>
    /// <param name="expectNew">True refuses a name that is taken (null is returned).</param>
    Task<Metric?> AddAsync(ProjectId project, NewMetric metric, bool expectNew, DateTimeOffset at, CancellationToken ct);

    /// <summary>The current version.</summary>
    Task<Metric?> FindAsync(ProjectId project, string name, CancellationToken ct);

    Task<Metric?> GetVersionAsync(ProjectId project, MetricVersionId version, CancellationToken ct);

    /// <summary>Current versions by name; all states.</summary>
    Task<IReadOnlyList<Metric>> ListAsync(ProjectId project, CancellationToken ct);

    Task<IReadOnlyList<Metric>> VersionsAsync(ProjectId project, string name, CancellationToken ct);

    /// <summary>Changes the state and records who did it.</summary>
    Task<bool> SetStateAsync(ProjectId project, string name, MetricState state, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>The counts of a metric, all versions: folded counts plus the deltas not folded yet. Always exact.</summary>
    Task<IReadOnlyList<MetricCell>> CellsAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>The same recomputed from verdicts and labels: the truth that <see cref="CellsAsync"/> must equal.</summary>
    Task<IReadOnlyList<MetricCell>> RecomputedCellsAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Folds up to <paramref name="limit"/> deltas into the counts.</summary>
    /// <returns>How many were folded.</returns>
    Task<int> FoldAsync(int limit, CancellationToken ct);
}

public interface IVerdictStore
{
    /// <summary>The newest verdict of each metric on the spans given.</summary>
    Task<IReadOnlyList<Verdict>> CurrentAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);
}
