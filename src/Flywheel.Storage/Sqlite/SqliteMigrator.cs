using Flywheel.Core;
using Flywheel.Storage.Schema;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Sqlite;

/// <summary>Brings a SQLite file up to date, and says clearly why one cannot be used.</summary>
internal static class SqliteMigrator
{
    const int SqliteCorrupt = 11, SqliteCantOpen = 14, SqliteNotADatabase = 26, SqliteReadOnly = 8, SqliteBusy = 5;

    /// <summary>Refuses files that are another program's, or a newer program's.</summary>
    public static void Check(SqliteSession session, string path, StoreOptions options)
    {
        if (Number(session, "SELECT count(*) FROM sqlite_master") == 0)
            return;
        if (!HasMigrations(session))
            throw new StoreException($"{path} is a SQLite database of another program: name another file.");
        _ = Migration.Missing(options.Migrations(DatabaseKind.Sqlite), Applied(session));
    }

    /// <returns>Names of the migrations that this call applied.</returns>
    public static IReadOnlyList<string> Apply(SqliteSession session, StoreOptions options)
    {
        // The write lock is taken first, so a second process sees what the first one did.
        session.Run("BEGIN IMMEDIATE");
        try
        {
            session.Run(SchemaFiles.MigrationTable(DatabaseKind.Sqlite));
            var missing = Migration.Missing(options.Migrations(DatabaseKind.Sqlite), Applied(session));
            foreach (var migration in missing)
            {
                using var script = session.Connection.CreateCommand();
                script.CommandText = migration.Sql;
                script.ExecuteNonQuery();
                using var note = session.Connection.CreateCommand();
                note.CommandText = "INSERT INTO schema_migration (number, name, applied_at) VALUES (@number, @name, @at)";
                note.Parameters.AddWithValue("@number", migration.Number);
                note.Parameters.AddWithValue("@name", migration.Name);
                note.Parameters.AddWithValue("@at", Timestamps.Micros(options.Clock.GetUtcNow()));
                note.ExecuteNonQuery();
            }
            session.Run("COMMIT");
            return missing.Select(migration => migration.Name).ToArray();
        }
        catch
        {
            if (session.InTransaction)
                session.Run("ROLLBACK");
            throw;
        }
    }

    /// <summary>The fault of an open in words that help.</summary>
    public static Exception Explain(SqliteException fault, string path) => fault.SqliteErrorCode switch
    {
        SqliteNotADatabase => new StoreException($"{path} is no SQLite database: name another file, or restore it from a backup.", fault),
        SqliteCorrupt => new StoreException($"{path} is damaged ({fault.Message}): restore it from a backup.", fault),
        SqliteCantOpen => new StoreException($"{path} cannot be opened: check that it is a file and that this user may write it.", fault),
        SqliteReadOnly => new StoreException($"{path} may not be written by this user.", fault),
        SqliteBusy => new StoreException($"{path} is locked by another program for more than 5 seconds.", fault),
        _ => new StoreException($"{path} cannot be used: {fault.Message}", fault),
    };

    static bool HasMigrations(SqliteSession session) =>
        Number(session, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'") > 0;

    static List<(int Number, string Name)> Applied(SqliteSession session)
    {
        using var command = session.Connection.CreateCommand();
        command.CommandText = "SELECT number, name FROM schema_migration ORDER BY number";
        using var reader = command.ExecuteReader();
        var applied = new List<(int, string)>();
        while (reader.Read())
            applied.Add((reader.GetInt32(0), reader.GetString(1)));
        return applied;
    }

    static long Number(SqliteSession session, string sql)
    {
        using var command = session.Connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
