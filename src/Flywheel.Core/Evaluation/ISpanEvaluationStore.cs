using Flywheel.Core.Projects;

namespace Flywheel.Core.Evaluation;

public interface ISpanEvaluationStore
{
    /// <summary>Keeps evaluations durably; the same again has no effect.</summary>
    Task AddAsync(ProjectId project, IReadOnlyList<SpanEvaluation> evaluations, bool mayLabel, DateTimeOffset at, CancellationToken ct);

    /// <summary>The oldest whose span is there; those whose span is not are looked at again later, ever more seldom.</summary>
    Task<IReadOnlyList<ReadyEvaluation>> ReadyAsync(int limit, DateTimeOffset now, CancellationToken ct);

    /// <summary>
    /// Records the effect and that it is done, in one transaction. An older verdict never replaces a newer one of its evaluator.
    /// </summary>
    Task RecordAsync(ReadyEvaluation evaluation, EvaluationEffect effect, CancellationToken ct);

    /// <summary>Forgets evaluations that arrived before a time, done or not.</summary>
    /// <returns>How many.</returns>
    Task<int> ForgetAsync(DateTimeOffset before, CancellationToken ct);
}
