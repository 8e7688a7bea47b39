using Microsoft.Data.Sqlite;

namespace Flywheel.Crash.Tests;

/// <summary>
/// A server's file, read beside it or after its death. Never written; a dead server's log is replayed as its own start would.
/// </summary>
sealed class DatabaseFile : IDisposable
{
    readonly SqliteConnection _connection;

    public DatabaseFile(string path)
    {
        _connection = new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }
            .ToString());
        _connection.Open();
    }

    public IEnumerable<object[]> Rows(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            var row = new object[reader.FieldCount];
            reader.GetValues(row);
            yield return row;
        }
    }

    public IEnumerable<string> Texts(string sql) => Rows(sql).Select(row => (string)row[0]);

    public long Number(string sql) => (long)Rows(sql).Single()[0];

    public void Dispose() => _connection.Dispose();
}
