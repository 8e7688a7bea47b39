using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Labeling;

public enum LabelMode
{
    /// <summary>The person saw no suggestion. Only these are gold.</summary>
    Blind,

    /// <summary>The person took a model's suggestion as it was.</summary>
    Accepted,

    /// <summary>The person changed a model's suggestion.</summary>
    Edited,
}

/// <summary>A person's pass or fail for one metric on one span.</summary>
/// <param name="Propensity">Probability in (0, 1] with which this item was drawn for labelling; null when it was picked for
/// fixing or by hand, and then it estimates nothing.</param>
/// <param name="Critique">Why, in the person's words.</param>
public sealed record Label(
    Guid Id, ProjectId Project, SpanId Span, MetricId Metric, bool Passed, LabelMode Mode, string? Critique, string Author,
    double? Propensity, DateTimeOffset CreatedAt)
{
    /// <summary>Given knowing that people differed: it decides between them, for counts and demonstrations.</summary>
    public bool Adjudicates { get; init; }
}

/// <summary>A person's verdict on an output with the better one: the raw material of demonstrations.</summary>
/// <param name="WentWrong">What was wrong; null when the output was confirmed as it is.</param>
/// <param name="CorrectedOutput">What the node should have answered; equal to the span's output when confirmed.</param>
public sealed record Correction(
    Guid Id, ProjectId Project, SpanId Span, string? WentWrong, string CorrectedOutput, string? Reasoning, string Author,
    DateTimeOffset CreatedAt);

/// <summary>What the application itself learned of an answer: thumbs, a click, a solved case.</summary>
/// <param name="SpanId">Null when the feedback is about the whole trace.</param>
/// <param name="Value">JSON: number, boolean or string.</param>
public sealed record Feedback(
    Guid Id, ProjectId Project, string TraceId, string? SpanId, string Name, string Value, string? Comment, string? EndUser,
    DateTimeOffset CreatedAt)
{
    /// <summary>
    /// The session that it is about; <see cref="TraceId"/> is then the newest trace that the session had. Null for a trace or span.
    /// </summary>
    public string? Session { get; init; }
}

/// <summary>Null members do not restrict.</summary>
public sealed record FeedbackFilter(string? Name = null, string? TraceId = null, string? Session = null, int Limit = 50);

/// <summary>What became of a row that carries its own id, so that a repeat has no second effect.</summary>
public enum InsertResult
{
    Stored,
    Repeated,

    /// <summary>The id is taken by other content.</summary>
    Conflicting,
}

public interface ILabelStore
{
    Task<InsertResult> AddAsync(Label label, CancellationToken ct);

    /// <summary>Removes a label given by mistake; counts follow.</summary>
    Task<bool> RemoveAsync(ProjectId project, Guid id, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Labels of the spans given, oldest first.</summary>
    Task<IReadOnlyList<Label>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);

    Task<IReadOnlyList<Label>> ListAsync(ProjectId project, MetricId? metric, int limit, CancellationToken ct);
}

public interface ICorrectionStore
{
    /// <summary>Stores the correction; its demonstration appears with it, pending.</summary>
    Task<InsertResult> AddAsync(Correction correction, CancellationToken ct);

    Task<IReadOnlyList<Correction>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct);

    Task<IReadOnlyList<Correction>> ListAsync(ProjectId project, int limit, CancellationToken ct);
}

public interface IFeedbackStore
{
    Task<InsertResult> AddAsync(Feedback feedback, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<Feedback>> ListAsync(ProjectId project, FeedbackFilter filter, CancellationToken ct);

    /// <summary>
    /// The span with this provider's id of its answer; of several, as a cache makes them, the newest. Null when there is none.
    /// </summary>
    Task<SpanKey?> FindAnswerAsync(ProjectId project, string responseId, CancellationToken ct);

    /// <summary>The newest trace of a session; null when no span names the session.</summary>
    Task<string?> NewestTraceAsync(ProjectId project, string session, CancellationToken ct);

    Task<IReadOnlyList<Feedback>> OfTraceAsync(ProjectId project, string traceId, CancellationToken ct);
}
