using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Storage.Evaluation;

namespace Flywheel.Server.Cli;

/// <summary>SQL expressions over rows of files: the same SQL, the same engine as the embedded database, nothing kept.</summary>
sealed class ScratchSpans : ISqlEvaluator, IAsyncDisposable
{
    readonly RowExpressions _rows = new();

    ScratchSpans()
    {
    }

    public static Task<ScratchSpans> OpenAsync(CancellationToken ct) =>
        ct.IsCancellationRequested ? Task.FromCanceled<ScratchSpans>(ct) : Task.FromResult(new ScratchSpans());

    public Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct) =>
        Task.FromResult(_rows.Evaluate(expression.ToSql(SqlDialect.Sqlite), SqlColumns.ValuesOf(content), ct));

    public ValueTask DisposeAsync()
    {
        _rows.Dispose();
        return ValueTask.CompletedTask;
    }
}
