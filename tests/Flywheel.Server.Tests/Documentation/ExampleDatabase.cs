using Microsoft.Data.Sqlite;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>The application's database in the examples: <c>shop.sqlite</c> with customers and orders.</summary>
static class ExampleDatabase
{
    public static void Make(string path)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText =
            """
            CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT);
            CREATE TABLE orders (id INTEGER PRIMARY KEY, number TEXT, customer TEXT, customer_id INTEGER REFERENCES customers, total REAL, status TEXT);
            INSERT INTO customers VALUES (1, 'Ada'), (2, 'Bo');
            INSERT INTO orders VALUES (1, 'ORD-1001', 'ada', 1, 40, 'sent'), (2, 'ORD-1002', 'bo', 2, 15, 'open');
            """;
        command.ExecuteNonQuery();
    }
}
