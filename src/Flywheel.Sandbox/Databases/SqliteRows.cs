using System.Globalization;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Sandboxing;
using SQLitePCL;

namespace Flywheel.SandboxChild.Databases;

/// <summary>Runs a statement that was let through, and reads its rows up to the caps.</summary>
static class SqliteRows
{
    public static SqlResult Read(
        sqlite3 connection, sqlite3_stmt statement, SqlTask task, SandboxOpening opening, Func<bool> isOverdue, SqlResult compiled)
    {
        Bind(statement, task);
        var rows = new List<JsonElement[]>();
        var bytes = 0L;
        while (true)
        {
            var code = raw.sqlite3_step(statement);
            if (code == raw.SQLITE_DONE)
                return compiled with { Rows = rows };
            if (code != raw.SQLITE_ROW)
                return code == raw.SQLITE_INTERRUPT || isOverdue()
                    ? compiled with { Failed = $"took longer than {task.Milliseconds} ms", Overdue = true }
                    : compiled with { Failed = code == raw.SQLITE_NOMEM ? "needs too much memory" : raw.sqlite3_errmsg(connection)
                    .utf8_to_string() };
            if (isOverdue())
                return compiled with { Failed = $"took longer than {task.Milliseconds} ms", Overdue = true };
            var row = new JsonElement[compiled.Columns!.Count];
            for (var i = 0; i < row.Length; i++)
                row[i] = Value(statement, i, ref bytes);
            if (rows.Count == opening.MaxRows || bytes > opening.MaxBytes)
                return compiled with { Rows = rows, Cut = true };
            rows.Add(row);
        }
    }

    static void Bind(sqlite3_stmt statement, SqlTask task)
    {
        for (var i = 1; i <= raw.sqlite3_bind_parameter_count(statement); i++)
        {
            var name = raw.sqlite3_bind_parameter_name(statement, i).utf8_to_string()?.TrimStart('@', ':', '$');
            if (name is null || task.Parameters is null || !task.Parameters.TryGetValue(name, out var value))
                continue;
            switch (value.ValueKind)
            {
                case JsonValueKind.String:
                    raw.sqlite3_bind_text(statement, i, value.GetString()!);
                    break;
                case JsonValueKind.Number when value.TryGetInt64(out var whole):
                    raw.sqlite3_bind_int64(statement, i, whole);
                    break;
                case JsonValueKind.Number:
                    raw.sqlite3_bind_double(statement, i, value.GetDouble());
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    raw.sqlite3_bind_int(statement, i, value.ValueKind == JsonValueKind.True ? 1 : 0);
                    break;
            }
        }
    }

    static JsonElement Value(sqlite3_stmt statement, int column, ref long bytes)
    {
        bytes += 8;
        switch (raw.sqlite3_column_type(statement, column))
        {
            case raw.SQLITE_INTEGER:
                return JsonValues.Whole(raw.sqlite3_column_int64(statement, column));
            case raw.SQLITE_FLOAT:
                return JsonValues.Real(raw.sqlite3_column_double(statement, column));
            case raw.SQLITE_TEXT:
                bytes += raw.sqlite3_column_bytes(statement, column);
                return JsonValues.Text(Encoding.UTF8.GetString(raw.sqlite3_column_blob(statement, column)));
            case raw.SQLITE_BLOB:
                bytes += 2L * raw.sqlite3_column_bytes(statement, column);
                return JsonValues.Blob(raw.sqlite3_column_blob(statement, column));
            default:
                return JsonValues.Null;
        }
    }
}

/// <summary>Cells of a result as JSON.</summary>
static class JsonValues
{
    public static JsonElement Null { get; } = Parse("null"u8);

    public static JsonElement True { get; } = Parse("true"u8);

    public static JsonElement False { get; } = Parse("false"u8);

    public static JsonElement Whole(long value) => Parse(Encoding.UTF8.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    public static JsonElement Number(string digits) => Parse(Encoding.UTF8.GetBytes(digits));

    public static JsonElement Real(double value) => double.IsFinite(value)
        ? Parse(Encoding.UTF8.GetBytes(value.ToString("R", CultureInfo.InvariantCulture)))
        : Text(value.ToString(CultureInfo.InvariantCulture));

    public static JsonElement Text(string value) => Parse(JsonSerializer.SerializeToUtf8Bytes(value, CellJson.Default.String));

    public static JsonElement Blob(ReadOnlySpan<byte> value) =>
        Parse(Encoding.ASCII.GetBytes($$"""{"x":"{{Convert.ToHexStringLower(value)}}"}"""));

    static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        return JsonElement.ParseValue(ref reader);
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
sealed partial class CellJson : System.Text.Json.Serialization.JsonSerializerContext;
