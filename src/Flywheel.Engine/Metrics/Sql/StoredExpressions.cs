using Flywheel.Core;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics.Sql;

/// <summary>SQL expressions over stored spans run where the spans are.</summary>
public sealed class StoredExpressions(IFlywheelStore store) : ISqlEvaluator
{
    readonly SqlDialect _dialect = store.Kind == DatabaseKind.Postgres ? SqlDialect.Postgres : SqlDialect.Sqlite;

    public Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct) =>
        stored is null
            ? throw new InvalidOperationException("This expression is evaluated over stored spans only.")
            : store.Spans.EvaluateAsync(stored.Project, stored.Id, expression.ToSql(_dialect), ct);
}
