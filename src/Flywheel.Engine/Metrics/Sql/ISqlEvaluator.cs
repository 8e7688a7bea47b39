using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>Evaluates checked expressions in a database: the store's own for stored spans, one in memory for files.</summary>
public interface ISqlEvaluator
{
    /// <param name="stored">The span as stored; null when it is not, and then <paramref name="content"/> is the row.</param>
    /// <returns>Null when the expression is SQL null for this span.</returns>
    Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct);
}
