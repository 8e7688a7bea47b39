using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;
using Flywheel.Storage;

namespace Flywheel.Server.Cli;

/// <summary>A database of its own for SQL expressions over rows of files: the same SQL, the same engine, nothing kept.</summary>
sealed class ScratchSpans : ISqlEvaluator, IAsyncDisposable
{
    readonly IFlywheelStore _store;
    long _next;

    ScratchSpans(IFlywheelStore store) => _store = store;

    public static async Task<ScratchSpans> OpenAsync(CancellationToken ct)
    {
        var store = await FlywheelStore.OpenAsync("sqlite::memory:", new StoreOptions { Durability = Durability.Off }, ct);
        await store.MigrateAsync(ct);
        return new ScratchSpans(store);
    }

    public async Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct)
    {
        var key = new SpanKey("file", Interlocked.Increment(ref _next).ToString(System.Globalization.CultureInfo.InvariantCulture));
        var now = TimeProvider.System.GetUtcNow();
        var span = content with
        {
            Key = key, Node = content.Node.Length == 0 ? "file" : content.Node,
            StartedAt = content.StartedAt < SpanRules.Earliest ? now : content.StartedAt,
        };
        await _store.Spans.AddAsync(ProjectId.Default, [span], now, ct);
        var row = await _store.Spans.FindAsync(ProjectId.Default, key, ct);
        return await _store.Spans.EvaluateAsync(ProjectId.Default, row!.Id, expression.ToSql(SqlDialect.Sqlite), ct);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();
}
