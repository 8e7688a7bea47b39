using Flywheel.Demo.Resources;
using Microsoft.Data.Sqlite;

namespace Flywheel.Demo.Orders;

/// <summary>The shop's orders: a SQLite file that this class makes, fills and removes.</summary>
public sealed class OrdersDatabase : IDisposable
{
    readonly string path;
    readonly bool isOurs;

    OrdersDatabase(string path, bool isOurs)
    {
        this.path = path;
        this.isOurs = isOurs;
    }

    /// <summary>The tables, as the prompt of the SQL node shows them.</summary>
    public static string Schema { get; } = EmbeddedText.Read("orders/schema.sql").Trim();

    /// <param name="path">Where the file goes; must not exist yet. Null: a temporary file, removed on disposal.</param>
    public static OrdersDatabase Create(string? path = null)
    {
        var target = Path.GetFullPath(path ?? Path.Combine(Path.GetTempPath(), $"supportbot-{Guid.NewGuid():N}.db"));
        if (File.Exists(target))
            throw new ArgumentException($"{target} exists already: remove it, or name another file.", nameof(path));

        using var connection = Open(target, SqliteOpenMode.ReadWriteCreate);
        using var transaction = connection.BeginTransaction();
        Execute(Schema, connection);
        new OrdersSeed(connection, transaction).Fill();
        transaction.Commit();
        return new(target, isOurs: path is null);
    }

    /// <summary>A database in memory that holds the rows of one customer and nothing of anybody else.</summary>
    internal SqliteConnection OpenFor(int customer)
    {
        var own = Open(":memory:", SqliteOpenMode.Memory);
        Execute(Schema, own);
        Execute("ATTACH @file AS shop", own, ("@file", new Uri(path).AbsoluteUri + "?mode=ro"));
        Execute(EmbeddedText.Read("orders/own-rows.sql"), own, ("@customer_id", customer));
        Execute("DETACH shop", own);
        return own;
    }

    public void Dispose()
    {
        if (isOurs)
            File.Delete(path);
    }

    static SqliteConnection Open(string file, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = file, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    static void Execute(string sql, SqliteConnection connection, params (string Name, object Value)[] parameters)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }
}
