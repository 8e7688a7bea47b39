using Microsoft.Data.Sqlite;

namespace Flywheel.SandboxTests;

/// <summary>A small shop in a SQLite file that nobody changes, and checks whose children serve all tests of a class.</summary>
public sealed class ShopFile : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-settings-").FullName;

    public ShopFile()
    {
        using var shop = new SqliteConnection($"Data Source={Path};Pooling=False");
        shop.Open();
        using var command = shop.CreateCommand();
        command.CommandText =
            """
            CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, total REAL);
            CREATE TABLE lines (order_id INTEGER REFERENCES orders (id), item TEXT);
            CREATE VIEW totals AS SELECT sum(total) AS total FROM orders;
            INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
            INSERT INTO lines VALUES (1, 'tea'), (2, 'jam');
            """;
        command.ExecuteNonQuery();
        Named = new(
            new() { ["shop"] = "sqlite:" + Path, ["gone"] = "sqlite:" + At("gone.sqlite"), ["own"] = At("flywheel.db") },
            allowsFiles: false, own: "sqlite:" + At("flywheel.db"));
    }

    public string Path => At("shop.sqlite");

    /// <summary>May open any file.</summary>
    internal CodeCheck Check { get; } = new();

    /// <summary>Knows the shop, a file that is gone and Flywheel's own database by their names, and opens no other file.</summary>
    internal CodeCheck Named { get; }

    private string At(string name) => System.IO.Path.Combine(_folder, name);

    public async ValueTask DisposeAsync()
    {
        await Check.DisposeAsync();
        await Named.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
