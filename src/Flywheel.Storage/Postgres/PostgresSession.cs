using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;

namespace Flywheel.Storage.Postgres;

/// <summary>A PostgreSQL connection; the driver prepares what recurs.</summary>
internal sealed partial class PostgresSession(NpgsqlConnection connection) : Session
{
    static readonly ConcurrentDictionary<string, string> Translated = new(StringComparer.Ordinal);

    public override Task<List<T>> QueryAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params (string Name, object? Value)[] values) =>
        ReadAsync(Command(sql, values), read, ct);

    public override async Task ForEachAsync(
        string sql, Func<DbDataReader, ValueTask> each, CancellationToken ct, params (string Name, object? Value)[] values)
    {
        var command = Command(sql, values);
        await using (command.ConfigureAwait(false))
        {
            var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(ct).ConfigureAwait(false))
                    await each(reader).ConfigureAwait(false);
        }
    }

    public override Task<int> ExecuteAsync(string sql, CancellationToken ct, params (string Name, object? Value)[] values) =>
        RunAsync(Command(sql, values), ct);

    public override Task<int> ExecuteGivenAsync(string sql, CancellationToken ct, params Column[] given) =>
        RunAsync(Command(sql, given), ct);

    public override Task<List<T>> QueryGivenAsync<T>(
        string sql, Func<DbDataReader, T> read, CancellationToken ct, params Column[] given) =>
        ReadAsync(Command(sql, given), read, ct);

    static async Task<List<T>> ReadAsync<T>(NpgsqlCommand command, Func<DbDataReader, T> read, CancellationToken ct)
    {
        await using (command.ConfigureAwait(false))
        {
            var rows = new List<T>();
            var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            await using (reader.ConfigureAwait(false))
                while (await reader.ReadAsync(ct).ConfigureAwait(false))
                    rows.Add(read(reader));
            return rows;
        }
    }

    static async Task<int> RunAsync(NpgsqlCommand command, CancellationToken ct)
    {
        await using (command.ConfigureAwait(false))
            return Math.Max(0, await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false));
    }

    NpgsqlCommand Command(string sql, (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = Translated.GetOrAdd(sql, static text => Sets().Replace(text, "= ANY (@$1)"));
        foreach (var (name, value) in values)
            command.Parameters.Add(new NpgsqlParameter(name, Stored(value)));
        return command;
    }

    NpgsqlCommand Command(string sql, Column[] given)
    {
        var command = connection.CreateCommand();
        command.CommandText = Translated.GetOrAdd(
            sql,
            static (text, columns) => text.Replace(
                "FROM @given",
                "FROM unnest(" + string.Join(", ", columns.Select(column => "@" + column.Name)) + ") AS given ("
                    + string.Join(", ", columns.Select(column => column.Name)) + ")",
                StringComparison.Ordinal),
            given);
        foreach (var column in given)
            command.Parameters.Add(new NpgsqlParameter(column.Name, column.Values));
        return command;
    }

    static object Stored(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset at => Timestamps.Micros(at),
        Guid id => id.ToString("D"),
        bool yes => yes ? 1 : 0,
        Enum => throw new ArgumentException($"pass {value} as its word"),
        IFormattable or string or Array => value,
        _ => throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"no stored form of {value.GetType()}")),
    };

    [GeneratedRegex(@"IN \(@(\w+)\)")]
    private static partial Regex Sets();
}
