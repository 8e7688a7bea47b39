using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;

namespace Flywheel.Core.Traces;

/// <summary>Who evaluated, as the sender says.</summary>
public enum EvaluationSource
{
    Unknown,
    Human,
    Model,
    Code,
}

/// <summary>What an evaluator or a person elsewhere said of a span: before it or after it.</summary>
/// <param name="Key">The span; of an evaluation that names an answer, the span that it was said in. Null when there was none.</param>
/// <param name="ResponseId">The provider's id of the answer; null when the span itself is named.</param>
/// <param name="Label">The sender's word for the score, such as <c>pass</c>, <c>relevant</c>.</param>
/// <param name="Error">Why there is no result; null when there is one.</param>
/// <param name="Author">Who said it, of a person's; null when the sender does not tell.</param>
/// <param name="Evaluator">What said it; becomes the version of the verdict's validator.</param>
/// <param name="Blind">The sender declares that the person saw no suggestion.</param>
/// <param name="At">When it was said; <see cref="DateTimeOffset.UnixEpoch"/> where the sender does not tell, and then it is kept with its arrival.</param>
public sealed record SpanEvaluation(
    SpanKey? Key, string? ResponseId, string Name, EvaluationSource Source, double? Score, string? Label, string? Explanation, string? Error,
    string? Author, string Evaluator, bool Blind, DateTimeOffset At);

/// <summary>An evaluation whose span is there.</summary>
/// <param name="MayLabel">The sender's key may label.</param>
public sealed record ReadyEvaluation(long Id, ProjectId Project, SpanId Span, SpanEvaluation Evaluation, bool MayLabel);

/// <summary>What becomes of an evaluation; at most one of the three.</summary>
public sealed record EvaluationEffect(Verdict? Verdict = null, Label? Label = null, ProposedLabel? Proposal = null);

public interface ISpanEvaluationStore
{
    /// <summary>Keeps evaluations durably; the same again has no effect.</summary>
    Task AddAsync(ProjectId project, IReadOnlyList<SpanEvaluation> evaluations, bool mayLabel, DateTimeOffset at, CancellationToken ct);

    /// <summary>The oldest whose span is there; those whose span is not are looked at again later, ever more seldom.</summary>
    Task<IReadOnlyList<ReadyEvaluation>> ReadyAsync(int limit, DateTimeOffset now, CancellationToken ct);

    /// <summary>Records the effect and that it is done, in one transaction. An older verdict never replaces a newer one of its evaluator.</summary>
    Task RecordAsync(ReadyEvaluation evaluation, EvaluationEffect effect, CancellationToken ct);

    /// <summary>Forgets evaluations that arrived before a time, done or not.</summary>
    /// <returns>How many.</returns>
    Task<int> ForgetAsync(DateTimeOffset before, CancellationToken ct);
}

/// <summary>A verdict on its way to another system.</summary>
/// <param name="ResponseId">Of the judged span; null when it has none.</param>
public sealed record OutgoingVerdict(long Id, Verdict Verdict, string Metric, int MetricNumber, SpanKey Key, string? ResponseId);

public interface IVerdictOutbox
{
    /// <summary>From now on verdicts of these projects wait in the outbox, and of no other.</summary>
    Task EnableAsync(IReadOnlyList<ProjectId> projects, CancellationToken ct);

    /// <summary>Takes the oldest waiting verdicts for a while; skipped ones, and those of metrics that are judged elsewhere, never wait.</summary>
    Task<IReadOnlyList<OutgoingVerdict>> TakeAsync(int limit, DateTimeOffset now, DateTimeOffset until, CancellationToken ct);

    /// <summary>Lets go of what was sent or cannot be.</summary>
    Task DoneAsync(IReadOnlyList<long> ids, CancellationToken ct);

    /// <summary>Gives back what was not sent.</summary>
    Task ReleaseAsync(IReadOnlyList<long> ids, CancellationToken ct);
}
