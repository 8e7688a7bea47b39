using System.Globalization;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Sandboxing;
using Flywheel.SandboxChild.Workers;
using Npgsql;

namespace Flywheel.SandboxChild.Databases;

/// <summary>Runs one query at a time as a role that may only read.</summary>
/// <remarks>
/// PostgreSQL's own walls: the role, checked when it connects; a READ ONLY transaction that is always rolled back; the extended protocol,
/// which takes one statement; a statement timeout, and a cancel over a second connection for when that does not bite; limits on
/// locks, memory and temporary files. Functions that act or look around are refused by name before a statement comes here.
/// </remarks>
sealed class PostgresWorker : IWorker
{
    readonly NpgsqlConnection _connection, _canceller;
    readonly SandboxOpening _opening;
    readonly int _backend;

    public SandboxReady Ready { get; }

    PostgresWorker(NpgsqlConnection connection, NpgsqlConnection canceller, SandboxOpening opening, SandboxReady ready)
    {
        (_connection, _canceller, _opening, Ready) = (connection, canceller, opening, ready);
        _backend = connection.ProcessID;
    }

    /// <exception cref="OpeningException">No connection, or a role that may do more than read.</exception>
    public static async Task<PostgresWorker> OpenAsync(SandboxOpening opening)
    {
        // Otherwise the driver cuts a text at its semicolons and sends several statements.
        AppContext.SetSwitch("Npgsql.EnableSqlRewriting", false);
        NpgsqlConnection? connection = null, canceller = null;
        try
        {
            connection = await ConnectAsync(opening.Database!);
            canceller = await ConnectAsync(opening.Database!);
            var role = await PostgresRole.ReadAsync(connection);
            if (role.Problem is { } problem)
                throw new OpeningException(problem);
            await PrepareAsync(connection, canceller);
            var ready = new SandboxReady(null,
                ["one SELECT only (extended protocol)", "own role that can only read", "READ ONLY transaction, rolled back",
                    "statement timeout and cancel",
                    "functions that act or look around refused by name", $"{opening.MaxRows} rows and {opening.MaxBytes} bytes at most",
                    .. role.Held],
                role.Missing, await PostgresSchema.TablesAsync(connection), await PostgresSchema.RefusedFunctionsAsync(connection));
            var worker = new PostgresWorker(connection, canceller, opening, ready);
            worker.WarmUp();
            return worker;
        }
        catch (Exception e)
        {
            if (connection is not null)
                await connection.DisposeAsync();
            if (canceller is not null)
                await canceller.DisposeAsync();
            if (e is NpgsqlException or ArgumentException or FormatException)
                throw new OpeningException($"cannot be reached: {e.Message}. Check its address in the settings.");
            throw;
        }
    }

    static async Task<NpgsqlConnection> ConnectAsync(string url)
    {
        var uri = new Uri(url);
        var user = uri.UserInfo.Split(':', 2);
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = uri.Host, Port = uri.Port > 0 ? uri.Port : 5432, Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')),
            Username = Uri.UnescapeDataString(user[0]), Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null,
            Pooling = false, Timeout = 10, CommandTimeout = 0, MaxAutoPrepare = 0, ApplicationName = "flywheel-sandbox",
            IncludeErrorDetail = false,
        };
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (pair.Split('=', 2) is ["sslmode", var mode])
                settings["SSL Mode"] = mode.Replace("-", "", StringComparison.Ordinal);
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    static async Task PrepareAsync(NpgsqlConnection connection, NpgsqlConnection canceller)
    {
        List<string> settings =
        [
            "default_transaction_read_only = on", "lock_timeout = '500ms'", "idle_in_transaction_session_timeout = '10s'",
            "work_mem = '16MB'",
            "max_parallel_workers_per_gather = 0", "jit = off", "standard_conforming_strings = on", "bytea_output = 'hex'",
            "extra_float_digits = 1",
            "IntervalStyle = 'iso_8601'", "DateStyle = 'ISO, YMD'", "TimeZone = 'UTC'",
        ];
        if (connection.PostgreSqlVersion.Major >= 14)
            settings.Add("client_connection_check_interval = '200ms'"); // a killed child's statement ends with it
        foreach (var setting in settings)
            await ExecuteAsync(connection, "SET " + setting);
        await ExecuteAsync(canceller, "SET statement_timeout = '1s'");
    }

    /// <summary>Every path is walked once while files can still be opened.</summary>
    void WarmUp()
    {
        foreach (var sql in new[] { "SELECT 1 AS a, 'x' AS b, NULL AS c, 1.5 AS d, true AS e", "SELECT no_such_column", "SELECT 1/0",
            "SELECT count(*) FROM generate_series(1, 100000000)" })
            JsonSerializer.SerializeToUtf8Bytes(Run(new(sql, true, 20)), SandboxJson.Default.SqlResult);
        Cancel();
    }

    public byte[] Answer(byte[] task, SelfWatch watch)
    {
        var sql = JsonSerializer.Deserialize(task, SandboxJson.Default.SqlTask)!;
        watch.Arm(sql.Milliseconds + 3_000);
        var result = Run(sql);
        watch.Disarm();
        return JsonSerializer.SerializeToUtf8Bytes(result, SandboxJson.Default.SqlResult);
    }

    SqlResult Run(SqlTask task)
    {
        Execute("BEGIN TRANSACTION READ ONLY");
        try
        {
            Execute(string.Create(CultureInfo.InvariantCulture, $"SET LOCAL statement_timeout = {task.Milliseconds}"));
            using var overdue = new Timer(_ => Cancel(), null, task.Milliseconds + 150, Timeout.Infinite);
            return Query(task);
        }
        catch (PostgresException e)
        {
            return e.SqlState switch
            {
                "57014" => new(Failed: $"took longer than {task.Milliseconds} ms", Overdue: true),
                "25006" => new(Refused: "it does more than read: " + e.MessageText),
                _ when e.SqlState.StartsWith("42", StringComparison.Ordinal) || e.SqlState is "0A000" => new(Refused: e.MessageText),
                _ => new(Failed: e.MessageText),
            };
        }
        finally
        {
            Execute("ROLLBACK");
        }
    }

    SqlResult Query(SqlTask task)
    {
        using var command = new NpgsqlCommand(task.Sql, _connection) { AllResultTypesAreUnknown = true };
        using var reader = command.ExecuteReader(
            task.Run ? System.Data.CommandBehavior.SequentialAccess : System.Data.CommandBehavior.SchemaOnly);
        var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
        if (columns.Length == 0)
            return new(Refused: "it is no SELECT");
        if (!task.Run)
            return new(Columns: columns);
        var types = Enumerable.Range(0, reader.FieldCount).Select(reader.GetDataTypeName).ToArray();
        var rows = new List<JsonElement[]>();
        var left = (long)_opening.MaxBytes;
        while (reader.Read())
        {
            var row = new JsonElement[columns.Length];
            for (var i = 0; i < row.Length && left >= 0; i++)
                row[i] = Cell(reader, i, types[i], ref left);
            if (left < 0 || rows.Count == _opening.MaxRows)
            {
                Cancel(); // otherwise closing the reader would read on to the end
                return new(Columns: columns, Rows: rows, Cut: true);
            }
            rows.Add(row);
        }
        return new(Columns: columns, Rows: rows);
    }

    static JsonElement Cell(NpgsqlDataReader reader, int column, string type, ref long left)
    {
        left -= 8;
        if (reader.IsDBNull(column))
            return JsonValues.Null;
        var text = new StringBuilder();
        using (var value = reader.GetTextReader(column))
        {
            var buffer = new char[4096];
            int read;
            while (left >= 0 && (read = value.Read(buffer)) > 0)
            {
                text.Append(buffer, 0, read);
                left -= read;
            }
        }
        var word = text.ToString();
        return type.Split('(')[0] switch
        {
            "smallint" or "integer" or "bigint" or "oid" => JsonValues.Number(word),
            "numeric" or "real" or "double precision" when char.IsAsciiDigit(word[^1]) => JsonValues.Number(word),
            "boolean" => word == "t" ? JsonValues.True : JsonValues.False,
            "bytea" => JsonValues.Blob(Convert.FromHexString(word.AsSpan(2))),
            _ => JsonValues.Text(word),
        };
    }

    /// <summary>The second connection needs no new socket, which could not be made any more.</summary>
    void Cancel()
    {
        lock (_canceller)
            try
            {
                using var cancel = new NpgsqlCommand(
                    "SELECT pg_catalog.pg_cancel_backend($1)", _canceller) { Parameters = { new() { Value = _backend } } };
                cancel.ExecuteNonQuery();
            }
            catch (NpgsqlException)
            {
                // The statement timeout and the end of this process remain.
            }
    }

    void Execute(string sql)
    {
        using var command = new NpgsqlCommand(sql, _connection);
        for (var attempt = 0; ; attempt++)
            try
            {
                command.ExecuteNonQuery();
                return;
            }
            catch (PostgresException e) when (e.SqlState == "57014" && attempt < 3)
            {
                // A cancel that came late, meant for the statement before.
            }
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    public void Dispose()
    {
        _connection.Dispose();
        _canceller.Dispose();
    }
}
