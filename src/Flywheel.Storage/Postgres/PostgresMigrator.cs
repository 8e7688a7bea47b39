using Flywheel.Core;
using Flywheel.Storage.Schema;
using Npgsql;

namespace Flywheel.Storage.Postgres;

/// <summary>Brings a PostgreSQL database up to date.</summary>
internal static class PostgresMigrator
{
    /// <summary>Refuses a newer program's database.</summary>
    public static async Task CheckAsync(NpgsqlConnection connection, StoreOptions options, CancellationToken ct)
    {
        await using var find = new NpgsqlCommand("SELECT to_regclass('schema_migration') IS NOT NULL", connection);
        if (await find.ExecuteScalarAsync(ct).ConfigureAwait(false) is true)
            _ = Migration.Missing(options.Migrations(DatabaseKind.Postgres), await AppliedAsync(connection, ct).ConfigureAwait(false));
    }

    /// <returns>Names of the migrations that this call applied.</returns>
    public static async Task<IReadOnlyList<string>> ApplyAsync(
        NpgsqlConnection connection, StoreOptions options, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        // A second process waits here, and then sees what the first one did.
        await RunAsync(connection, "SELECT pg_advisory_xact_lock(4675198, 0)", ct).ConfigureAwait(false);
        await RunAsync(connection, SchemaFiles.MigrationTable(DatabaseKind.Postgres), ct).ConfigureAwait(false);
        var missing = Migration.Missing(
            options.Migrations(DatabaseKind.Postgres), await AppliedAsync(connection, ct).ConfigureAwait(false));
        foreach (var migration in missing)
        {
            await RunAsync(connection, migration.Sql, ct).ConfigureAwait(false);
            await using var note = new NpgsqlCommand(
                "INSERT INTO schema_migration (number, name, applied_at) VALUES (@number, @name, @at)", connection);
            note.Parameters.AddWithValue("number", migration.Number);
            note.Parameters.AddWithValue("name", migration.Name);
            note.Parameters.AddWithValue("at", Timestamps.Micros(options.Clock.GetUtcNow()));
            await note.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
        }
        await transaction.CommitAsync(ct).ConfigureAwait(false);
        return missing.Select(migration => migration.Name).ToArray();
    }

    static async Task RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    static async Task<List<(int Number, string Name)>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("SELECT number, name FROM schema_migration ORDER BY number", connection);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var applied = new List<(int, string)>();
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
            applied.Add((reader.GetInt32(0), reader.GetString(1)));
        return applied;
    }
}
