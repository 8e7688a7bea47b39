using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Storage.Sqlite;

/// <summary>A SQLite connection with its prepared statements. Everything completes before it returns.</summary>
internal sealed partial class SqliteSession(SqliteConnection connection) : Session, IDisposable
{
    readonly Dictionary<string, SqliteCommand> prepared = [];
    SpanInsert? spanInsert;

    public SqliteConnection Connection { get; } = connection;

    public SpanInsert SpanInsert => spanInsert ??= new(Connection);

    /// <summary>False after SQLite rolled a transaction back by itself (full disk, I/O error).</summary>
    public bool InTransaction => raw.sqlite3_get_autocommit(Connection.Handle) == 0;

    public override Task<List<T>> QueryAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values)
    {
        ct.ThrowIfCancellationRequested();
        var command = Prepared(sql, static text => Sets().Replace(text, "IN (SELECT value FROM json_each(@$1))"));
        Bind(command, values);
        return Task.FromResult(Read(command, read));
    }

    public override async Task ForEachAsync(
        string sql, Func<DbDataReader, ValueTask> each, CancellationToken ct, params (string Name, object? Value)[] values)
    {
        var command = Prepared(sql, static text => Sets().Replace(text, "IN (SELECT value FROM json_each(@$1))"));
        Bind(command, values);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            ct.ThrowIfCancellationRequested();
            await each(reader).ConfigureAwait(false);
        }
    }

    public override Task<int> ExecuteAsync(string sql, CancellationToken ct, params (string Name, object? Value)[] values)
    {
        ct.ThrowIfCancellationRequested();
        var command = Prepared(sql, static text => Sets().Replace(text, "IN (SELECT value FROM json_each(@$1))"));
        Bind(command, values);
        return Task.FromResult(command.ExecuteNonQuery());
    }

    public override Task<int> ExecuteGivenAsync(string sql, CancellationToken ct, params Column[] given)
    {
        ct.ThrowIfCancellationRequested();
        var command = Prepared(sql, text => WithGiven(text, given));
        var changed = 0;
        for (var i = 0; i < given[0].Values.Length; i++)
        {
            Bind(command, given, i);
            changed += command.ExecuteNonQuery();
        }
        return Task.FromResult(changed);
    }

    public override Task<List<T>> QueryGivenAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params Column[] given)
    {
        ct.ThrowIfCancellationRequested();
        var command = Prepared(sql, text => WithGiven(text, given));
        var rows = new List<T>(given[0].Values.Length);
        for (var i = 0; i < given[0].Values.Length; i++)
        {
            Bind(command, given, i);
            rows.AddRange(Read(command, read));
        }
        return Task.FromResult(rows);
    }

    /// <summary>Runs a statement without parameters, such as <c>BEGIN IMMEDIATE</c>.</summary>
    public void Run(string sql) => Prepared(sql, static text => text).ExecuteNonQuery();

    public void Dispose()
    {
        foreach (var command in prepared.Values)
            command.Dispose();
        spanInsert?.Dispose();
        Connection.Dispose();
    }

    SqliteCommand Prepared(string sql, Func<string, string> translate)
    {
        if (prepared.TryGetValue(sql, out var command))
            return command;
        command = Connection.CreateCommand();
        command.CommandText = translate(sql);
        prepared.Add(sql, command);
        return command;
    }

    /// <summary>One row at a time stands as a sub-select; the planner folds it away.</summary>
    static string WithGiven(string sql, Column[] given) => sql.Replace(
        "FROM @given",
        "FROM (SELECT " + string.Join(", ", given.Select(column => $"@{column.Name} AS {column.Name}")) + ") AS given",
        StringComparison.Ordinal);

    static void Bind(SqliteCommand command, (string Name, object? Value)[] values)
    {
        if (command.Parameters.Count == values.Length)
            for (var i = 0; i < values.Length; i++)
                command.Parameters[i].Value = Stored(values[i].Value);
        else
            foreach (var (name, value) in values)
                command.Parameters.Add(new SqliteParameter("@" + name, Stored(value)));
    }

    static void Bind(SqliteCommand command, Column[] given, int row)
    {
        if (command.Parameters.Count == given.Length)
            for (var i = 0; i < given.Length; i++)
                command.Parameters[i].Value = Stored(given[i].Values.GetValue(row));
        else
            foreach (var column in given)
                command.Parameters.Add(new SqliteParameter("@" + column.Name, Stored(column.Values.GetValue(row))));
    }

    static List<T> Read<T>(SqliteCommand command, Func<DbDataReader, T> read)
    {
        var rows = new List<T>();
        using var reader = command.ExecuteReader();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    static object Stored(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset at => Timestamps.Micros(at),
        Guid id => id.ToString("D"),
        bool yes => yes ? 1L : 0L,
        float number => (double)number,
        long[] set => JsonSerializer.Serialize(set),
        string[] set => JsonSerializer.Serialize(set),
        Enum => throw new ArgumentException($"pass {value} as its word"),
        IFormattable or string or byte[] => value,
        _ => throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"no stored form of {value.GetType()}")),
    };

    [GeneratedRegex(@"IN \(@(\w+)\)")]
    private static partial Regex Sets();
}
