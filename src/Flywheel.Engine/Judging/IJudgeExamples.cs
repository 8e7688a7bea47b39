using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Judging;

/// <summary>A text that a person labelled for the metric, shown to the judge.</summary>
/// <param name="Text">What was judged.</param>
/// <param name="Critique">Why, in the person's words; null when none was given.</param>
public sealed record JudgeExample(Guid Id, string Text, bool Passed, string? Critique);

/// <param name="PoolVersion">Of the pool from which these were drawn.</param>
/// <param name="Examples">In prompt order: the most similar stands last.</param>
public sealed record JudgeExamples(string PoolVersion, IReadOnlyList<JudgeExample> Examples);

/// <summary>Approved judge demonstrations of a metric.</summary>
public interface IJudgeExamples
{
    /// <summary>
    /// Changes whenever a demonstration of the metric is approved or recalled. Asked often, so it must be cheap; may lag by a moment.
    /// </summary>
    string PoolVersion(ProjectId project, string metric);

    /// <summary>Up to <paramref name="k"/> examples that teach most about this text; approved ones only.</summary>
    /// <param name="except">A span's own label must not tell its judge the answer; null for a text without a span.</param>
    Task<JudgeExamples> FindAsync(ProjectId project, string metric, string text, int k, SpanId? except, CancellationToken ct);
}
