using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Storage.Evaluation;

namespace Flywheel.Server.Hosting;

/// <summary>SQL expressions over rows of files: the same SQL, the same engine as the embedded database, nothing kept.</summary>
sealed class ScratchSpans : ISqlEvaluator, IDisposable
{
    readonly RowExpressions _rows = new();

    public Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct) =>
        Task.FromResult(_rows.Evaluate(expression.ToSql(SqlDialect.Sqlite), SqlColumns.ValuesOf(content), ct));

    public void Dispose() => _rows.Dispose();
}
