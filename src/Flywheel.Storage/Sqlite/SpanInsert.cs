using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Storage.Sqlite;

/// <summary>The hottest statement, on the bare driver: everything else may be comfortable.</summary>
internal sealed class SpanInsert : IDisposable
{
    const string Sql =
        """
        INSERT INTO span (
            project_id, trace_id, span_id, parent_id, node, kind, session, end_user, model, error, demonstrations, input, output,
            attributes, response_id, prompt, started_at, duration_ms, received_at, input_tokens, output_tokens, cost_usd,
            prompt_version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (project_id, trace_id, span_id) DO NOTHING
        """;

    readonly sqlite3 database;
    readonly sqlite3_stmt statement;

    public SpanInsert(SqliteConnection connection)
    {
        database = connection.Handle!;
        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v3(database, Sql, raw.SQLITE_PREPARE_PERSISTENT, out statement), database);
    }

    /// <returns>False when the trace and span id are taken.</returns>
    public bool Run(ProjectId project, NewSpan span, SpanTexts texts, int index, long receivedAt)
    {
        raw.sqlite3_bind_int64(statement, 1, project.Value);
        for (var column = 0; column < SpanTexts.PerSpan; column++)
        {
            var text = texts.Get(index, column, out var isNull);
            if (isNull)
                raw.sqlite3_bind_null(statement, 2 + column);
            else
                raw.sqlite3_bind_text(statement, 2 + column, text);
        }
        raw.sqlite3_bind_int64(statement, 17, Moments.Micros(span.StartedAt));
        raw.sqlite3_bind_double(statement, 18, span.DurationMs);
        raw.sqlite3_bind_int64(statement, 19, receivedAt);
        Bind(20, span.InputTokens);
        Bind(21, span.OutputTokens);
        if (span.CostUsd is { } cost)
            raw.sqlite3_bind_double(statement, 22, cost);
        else
            raw.sqlite3_bind_null(statement, 22);
        Bind(23, texts.MarksOf(index).PromptVersion);

        var code = raw.sqlite3_step(statement);
        var inserted = raw.sqlite3_changes(database) > 0;
        var reset = raw.sqlite3_reset(statement);
        if (code != raw.SQLITE_DONE)
            SqliteException.ThrowExceptionForRC(reset, database);
        return inserted;
    }

    public void Dispose() => statement.Dispose();

    void Bind(int column, int? value)
    {
        if (value is { } number)
            raw.sqlite3_bind_int64(statement, column, number);
        else
            raw.sqlite3_bind_null(statement, column);
    }
}
