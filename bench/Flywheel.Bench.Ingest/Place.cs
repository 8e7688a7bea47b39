using Npgsql;

namespace Flywheel.Bench.Ingest;

/// <summary>Where the product's spans go: a fresh file, or a fresh database of the PostgreSQL that was named.</summary>
static class Place
{
    public static async Task<T> OnSqliteAsync<T>(Func<string, Task<T>> run)
    {
        var folder = Directory.CreateTempSubdirectory("flywheel-bench-");
        try
        {
            return await run("sqlite:" + Path.Combine(folder.FullName, "product.db"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    public static async Task<T> OnPostgresAsync<T>(string url, Func<string, Task<T>> run)
    {
        await using var connection = new NpgsqlConnection(Connection(url, "postgres"));
        await connection.OpenAsync();
        foreach (var sql in new[] { "drop database if exists flywheel_bench with (force)", "create database flywheel_bench", "checkpoint" })
            await new NpgsqlCommand(sql, connection).ExecuteNonQueryAsync();
        try
        {
            return await run(new UriBuilder(url) { Path = "/flywheel_bench" }.Uri.ToString());
        }
        finally
        {
            await new NpgsqlCommand("drop database if exists flywheel_bench with (force)", connection).ExecuteNonQueryAsync();
        }
    }

    /// <param name="database">Null for the one in the URL.</param>
    public static string Connection(string url, string? database = null)
    {
        var parts = new Uri(url);
        return new NpgsqlConnectionStringBuilder
        {
            Host = parts.Host, Port = parts.Port, Username = parts.UserInfo.Split(':')[0],
            Password = parts.UserInfo.Split(':').ElementAtOrDefault(1),
            Database = database ?? parts.AbsolutePath.Trim('/'),
        }.ToString();
    }
}
