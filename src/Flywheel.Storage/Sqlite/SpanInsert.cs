using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Storage.Sqlite;

/// <summary>The hottest statement, on the bare driver: everything else may be comfortable.</summary>
/// <remarks>SQLite keeps what is bound from row to row, so that only what differs from the row before is bound.</remarks>
internal sealed class SpanInsert : IDisposable
{
    const string Sql =
        """
        INSERT INTO span (
            project_id, trace_id, span_id, parent_id, node, kind, session, end_user, model, error, demonstrations, input, output,
            attributes, response_id, prompt, started_at, duration_ms, received_at, input_tokens, output_tokens, cost_usd,
            prompt_version, turn)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (project_id, trace_id, span_id) DO NOTHING
        """;

    const int Project = 1, FirstText = 2, StartedAt = 17, Duration = 18, ReceivedAt = 19, InputTokens = 20, OutputTokens = 21, Cost = 22,
        PromptVersion = 23, Turn = 24;

    readonly sqlite3 database;
    readonly sqlite3_stmt statement;
    readonly bool[] isBound = new bool[Turn + 1];

    public SpanInsert(SqliteConnection connection)
    {
        database = connection.Handle!;
        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v3(database, Sql, raw.SQLITE_PREPARE_PERSISTENT, out statement), database);
    }

    /// <summary>Before the first row of a batch: what all its rows have.</summary>
    public void Begin(ProjectId project, long receivedAt)
    {
        SqliteNative.Bind(statement, Project, project.Value);
        SqliteNative.Bind(statement, ReceivedAt, receivedAt);
    }

    /// <param name="index">Rows come in order, beginning with 0.</param>
    /// <returns>False when the trace and span id are taken.</returns>
    public unsafe bool Run(NewSpan span, SpanTexts texts, int index)
    {
        for (var column = 0; column < SpanTexts.PerSpan; column++)
        {
            var text = texts.Get(index, column, out var length);
            if (text is null)
                Nothing(FirstText + column);
            else if (!isBound[FirstText + column] || index == 0 || !texts.IsAsBefore(index, column))
            {
                SqliteNative.BindText(statement, FirstText + column, text, length);
                isBound[FirstText + column] = true;
            }
        }
        SqliteNative.Bind(statement, StartedAt, Timestamps.Micros(span.StartedAt));
        SqliteNative.Bind(statement, Duration, span.DurationMs);
        Bind(InputTokens, span.InputTokens);
        Bind(OutputTokens, span.OutputTokens);
        if (span.CostUsd is { } cost)
        {
            SqliteNative.Bind(statement, Cost, cost);
            isBound[Cost] = true;
        }
        else
            Nothing(Cost);
        Bind(PromptVersion, texts.MarksOf(index).PromptVersion);
        Bind(Turn, texts.MarksOf(index).Turn);

        var code = raw.sqlite3_step(statement);
        var inserted = raw.sqlite3_changes(database) > 0;
        var reset = raw.sqlite3_reset(statement);
        if (code != raw.SQLITE_DONE)
            SqliteException.ThrowExceptionForRC(reset, database);
        return inserted;
    }

    /// <summary>After the last row of a batch, whatever became of it: its texts may go.</summary>
    public void End()
    {
        raw.sqlite3_clear_bindings(statement);
        Array.Clear(isBound);
    }

    public void Dispose() => statement.Dispose();

    void Bind(int column, int? value)
    {
        if (value is { } number)
        {
            SqliteNative.Bind(statement, column, number);
            isBound[column] = true;
        }
        else
            Nothing(column);
    }

    void Nothing(int column)
    {
        if (!isBound[column])
            return;
        SqliteNative.BindNull(statement, column);
        isBound[column] = false;
    }
}
