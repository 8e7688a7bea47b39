using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Evaluation;

/// <summary>What an evaluator or a person elsewhere said of a span: before it or after it.</summary>
/// <param name="Key">The span; of an evaluation that names an answer, the span that it was said in. Null when there was none.</param>
/// <param name="ResponseId">The provider's id of the answer; null when the span itself is named.</param>
/// <param name="Label">The sender's word for the score, such as <c>pass</c>, <c>relevant</c>.</param>
/// <param name="Error">Why there is no result; null when there is one.</param>
/// <param name="Author">Who said it, of a person's; null when the sender does not tell.</param>
/// <param name="Evaluator">What said it; becomes the version of the verdict's validator.</param>
/// <param name="Blind">The sender declares that the person saw no suggestion.</param>
/// <param name="At">When it was said; <see cref="DateTimeOffset.UnixEpoch"/> where the sender does not tell, and then it is kept with its
/// arrival.</param>
public sealed record SpanEvaluation(
    SpanKey? Key, string? ResponseId, string Name, EvaluationSource Source, double? Score, string? Label, string? Explanation,
    string? Error,
    string? Author, string Evaluator, bool Blind, DateTimeOffset At);

/// <summary>An evaluation whose span is there.</summary>
/// <param name="MayLabel">The sender's key may label.</param>
public sealed record ReadyEvaluation(long Id, ProjectId Project, SpanId Span, SpanEvaluation Evaluation, bool MayLabel);

/// <summary>What becomes of an evaluation; at most one of the three.</summary>
public sealed record EvaluationEffect(Verdict? Verdict = null, Label? Label = null, ProposedLabel? Proposal = null);
