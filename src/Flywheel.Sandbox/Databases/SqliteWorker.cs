using System.Diagnostics;
using System.Text.Json;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Workers;
using SQLitePCL;

namespace Flywheel.SandboxChild.Databases;

/// <summary>Runs one SELECT at a time on a file opened read-only and immutable.</summary>
/// <remarks>
/// SQLite's own walls, none of which needs another: the connection cannot write; the authorizer lets nothing through but reading tables
/// of the schema and calling computing functions; limits bound lengths and sizes; a progress handler stops what takes too long; rows and
/// bytes are capped. What a single long instruction does past its time ends with the process.
/// </remarks>
sealed class SqliteWorker : IWorker
{
    const int InstructionsBetweenLooks = 2_000;
    const int MaxSqlLength = 100_000;

    readonly sqlite3 _connection;
    readonly SandboxOpening _opening;
    readonly HashSet<string> _known;
    readonly SortedSet<string> _reads = new(StringComparer.OrdinalIgnoreCase);
    string? _denied;
    long _until = long.MaxValue;

    public SandboxReady Ready { get; }

    SqliteWorker(sqlite3 connection, SandboxOpening opening)
    {
        _connection = connection;
        _opening = opening;
        var tables = SqliteSchema.Read(connection);
        _known = tables.Select(table => table.Name).Concat(["json_each", "json_tree"]).ToHashSet(StringComparer.OrdinalIgnoreCase);
        if (OwnSchema.Holds(_known))
            throw new OpeningException(OwnSchema.Refusal);
        Ready = new(null,
            ["one SELECT only", "read-only, immutable private copy", "allow-list of actions and functions (authorizer)", "size limits",
                "progress handler",
                $"{opening.MaxRows} rows and {opening.MaxBytes} bytes at most"],
            [], tables);
    }

    public static SqliteWorker Open(SandboxOpening opening)
    {
        Batteries_V2.Init();
        raw.sqlite3_hard_heap_limit64((long)opening.MemoryMb << 19); // half of the room; the rest is for rows on their way out
        if (opening.Settle)
            Settle(opening.Database!);
        var uri = "file:" + Uri.EscapeDataString(opening.Database!).Replace("%2F", "/", StringComparison.Ordinal) + "?mode=ro&immutable=1";
        if (raw.sqlite3_open_v2(uri, out var connection, raw.SQLITE_OPEN_READONLY | raw.SQLITE_OPEN_URI, null) != raw.SQLITE_OK)
            throw new OpeningException($"the database cannot be opened: {Message(connection)}");
        try
        {
            Prepare(connection);
            return new(connection, opening);
        }
        catch (InvalidDataException e)
        {
            connection.Dispose();
            throw new OpeningException($"the database cannot be read: {e.Message}. Is it a SQLite file?");
        }
    }

    /// <summary>SQLite recovers what a log or journal holds when it opens for writing; then neither is needed any more.</summary>
    static void Settle(string copy)
    {
        if (raw.sqlite3_open_v2(copy, out var connection, raw.SQLITE_OPEN_READWRITE, null) != raw.SQLITE_OK)
            throw new OpeningException($"the database cannot be opened: {Message(connection)}");
        using (connection)
            try
            {
                SqliteSchema.Run(connection, "PRAGMA journal_mode = DELETE");
                SqliteSchema.Run(connection, "SELECT count(*) FROM sqlite_schema");
            }
            catch (InvalidDataException e)
            {
                throw new OpeningException($"the database cannot be read: {e.Message}. Is it a SQLite file?");
            }
    }

    static void Prepare(sqlite3 connection)
    {
        raw.sqlite3_extended_result_codes(connection, 0);
        const int doubleQuotedText = 1013;
        // As SQLite does by default, and most applications with it: "France" is a text where no column has that name.
        raw.sqlite3_db_config(connection, doubleQuotedText, 1, out _);
        SqliteSchema.Run(connection, "PRAGMA temp_store = MEMORY");
        SqliteSchema.Run(connection, "PRAGMA trusted_schema = OFF");
        SqliteSchema.Run(connection, "PRAGMA mmap_size = 0");
        SqliteSchema.Run(connection, "PRAGMA cell_size_check = ON");
        (int Limit, int Value)[] limits =
        [
            (raw.SQLITE_LIMIT_LENGTH, 4_000_000), (raw.SQLITE_LIMIT_SQL_LENGTH, MaxSqlLength), (raw.SQLITE_LIMIT_EXPR_DEPTH, 200),
            (raw.SQLITE_LIMIT_COMPOUND_SELECT, 50), (raw.SQLITE_LIMIT_VDBE_OP, 250_000), (raw.SQLITE_LIMIT_FUNCTION_ARG, 64),
            (raw.SQLITE_LIMIT_ATTACHED, 0), (raw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 500), (raw.SQLITE_LIMIT_VARIABLE_NUMBER, 200),
            (raw.SQLITE_LIMIT_TRIGGER_DEPTH, 1), (raw.SQLITE_LIMIT_WORKER_THREADS, 0),
        ];
        foreach (var (limit, value) in limits)
            raw.sqlite3_limit(connection, limit, value);
    }

    public byte[] Answer(byte[] task, SelfWatch watch)
    {
        var sql = JsonSerializer.Deserialize(task, SandboxJson.Default.SqlTask)!;
        watch.Arm(sql.Milliseconds + 3_000);
        var result = Answer(sql);
        watch.Disarm();
        return JsonSerializer.SerializeToUtf8Bytes(result, SandboxJson.Default.SqlResult);
    }

    SqlResult Answer(SqlTask task)
    {
        _reads.Clear();
        _denied = null;
        _until = Stopwatch.GetTimestamp() + task.Milliseconds * Stopwatch.Frequency / 1_000;
        raw.sqlite3_set_authorizer(_connection, MayDo, null);
        raw.sqlite3_progress_handler(_connection, InstructionsBetweenLooks, _ => IsOverdue ? 1 : 0, null);
        var code = raw.sqlite3_prepare_v2(_connection, task.Sql, out var statement, out var rest);
        using (statement)
        {
            if (code != raw.SQLITE_OK)
                return IsOverdue ? new(Refused: "takes too long to compile", Overdue: true) : new(Refused: _denied ?? Message(_connection));
            if (Refusal(statement, rest) is { } refusal)
                return new(Refused: refusal);
            var columns = Enumerable.Range(0, raw.sqlite3_column_count(statement))
                .Select(i => raw.sqlite3_column_name(statement, i).utf8_to_string()).ToArray();
            var result = new SqlResult(Columns: columns, Tables: [.. _reads]);
            return task.Run ? SqliteRows.Read(_connection, statement, task, _opening, () => IsOverdue, result) : result;
        }
    }

    bool IsOverdue => Stopwatch.GetTimestamp() > _until;

    string? Refusal(sqlite3_stmt statement, string rest)
    {
        if (statement is null || statement.IsInvalid)
            return "it holds no statement";
        if (raw.sqlite3_stmt_isexplain(statement) != 0 || raw.sqlite3_stmt_readonly(statement) == 0
            || raw.sqlite3_column_count(statement) == 0)
            return "it is no SELECT";
        while (!string.IsNullOrWhiteSpace(rest))
        {
            var code = raw.sqlite3_prepare_v2(_connection, rest, out var next, out var more);
            using (next)
                if (code != raw.SQLITE_OK || next is { IsInvalid: false })
                    return "it holds more than one statement";
            if (more.Length >= rest.Length)
                return "it holds more than one statement";
            rest = more;
        }
        return null;
    }

    /// <summary>Asked by SQLite, while it compiles, for each thing that the statement would do.</summary>
    int MayDo(object data, int action, utf8z first, utf8z second, utf8z schema, utf8z view)
    {
        switch (action)
        {
            case raw.SQLITE_SELECT or raw.SQLITE_RECURSIVE:
                return raw.SQLITE_OK;
            case raw.SQLITE_READ:
                var table = first.utf8_to_string();
                if (!_known.Contains(table))
                    return Deny($"it reads `{table}`, which is not among the database's own tables");
                _reads.Add(table);
                return raw.SQLITE_OK;
            case raw.SQLITE_FUNCTION:
                var function = second.utf8_to_string();
                return SqliteFunctions.MayCall(function) ? raw.SQLITE_OK : Deny($"it calls `{function}`, which is not allowed here");
            default:
                return Deny("it does more than read");
        }
    }

    int Deny(string why)
    {
        _denied ??= why;
        return raw.SQLITE_DENY;
    }

    static string Message(sqlite3 connection) => raw.sqlite3_errmsg(connection).utf8_to_string();

    public void Dispose() => _connection.Dispose();
}
