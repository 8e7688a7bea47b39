using System.Runtime.InteropServices;
using Flywheel.Core.Projects;
using Flywheel.Storage.Projects;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Sqlite;

/// <summary>A copy of a SQLite file as it stood at one moment, made while others write, and read whole before it counts.</summary>
public static class SqliteBackup
{
    const int ShownFaults = 20;

    /// <summary>Writes a backup: it is there under its name only when it is whole, checked and on disk.</summary>
    /// <remarks>
    /// Writers go on; their log grows meanwhile. The copy is compact: free pages, and what was erased in them, stay behind. Everything
    /// acknowledged before the call is in it.
    /// </remarks>
    /// <param name="progress">Given the bytes written and about how many there will be.</param>
    /// <exception cref="StoreException">The database is not there, the target exists, or the copy is not good: then nothing is left
    /// behind.</exception>
    public static async Task<BackupReport> CreateAsync(string database, string target, Action<long, long>? progress, CancellationToken ct)
    {
        (database, target) = (Path.GetFullPath(database), Path.GetFullPath(target));
        if (!File.Exists(database))
            throw new StoreException($"There is no database {database}.");
        if (File.Exists(target))
            throw new StoreException(
                $"{target} is there already, and a backup overwrites nothing: name another file, or move that one away.");
        if (!Directory.Exists(Path.GetDirectoryName(target)))
            throw new StoreException($"There is no folder {Path.GetDirectoryName(target)}: make it first.");
        // A name of its own, so that two backups at once do not meet.
        var part = $"{target}.{Guid.NewGuid():N}.part";
        try
        {
            long before;
            using (var source = Open(database))
            {
                before = LastSpan(source);
                var copying = Task.Run(() => Copy(source, part), ct);
                var about = new FileInfo(database).Length;
                while (await Task.WhenAny(copying, Task.Delay(TimeSpan.FromMilliseconds(200), ct)).ConfigureAwait(false) != copying)
                {
                    if (ct.IsCancellationRequested)
                        SQLitePCL.raw.sqlite3_interrupt(source.Connection.Handle);
                    progress?.Invoke(File.Exists(part) ? Math.Min(new FileInfo(part).Length, about) : 0, about);
                }
                try
                {
                    await copying.ConfigureAwait(false);
                }
                catch (SqliteException) when (ct.IsCancellationRequested)
                {
                    throw new OperationCanceledException(ct);
                }
            }
            Sync(part);
            var report = await VerifyAsync(part, ct).ConfigureAwait(false);
            using (var copy = Open(part))
                if (LastSpan(copy) is var last && last < before)
                    report = report with { Problems = [.. report.Problems,
                        $"it ends at span {last:N0}, and there was span {before:N0} when it began"] };
            if (!report.IsGood)
                throw new StoreException($"The copy is not good, so no backup was kept: {string.Join("; ", report.Problems)}.");
            // Not over a file that came meanwhile.
            File.Move(part, target, overwrite: false);
            SyncFolder(Path.GetDirectoryName(target)!);
            return report with { Path = target };
        }
        finally
        {
            foreach (var left in new[] { part, part + "-journal", part + "-wal", part + "-shm" })
                File.Delete(left);
        }
    }

    /// <summary>Reads all of a backup: pages, keys, counts, the audit's chains. It is opened for reading only and stays as it is.</summary>
    /// <exception cref="StoreException">It is no Flywheel database, or one of a newer program.</exception>
    public static async Task<BackupReport> VerifyAsync(string path, CancellationToken ct)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new StoreException($"There is no file {path}.");
        // What counts is the file by itself: a log beside it would not travel along.
        if (new FileInfo(path + "-wal") is { Exists: true, Length: > 0 })
            throw new StoreException(
                $"{path} has a log beside it ({Path.GetFileName(path)}-wal), so it is a database in use and no backup: make one with "
                    + "`flywheel backup`.");
        try
        {
            using var session = Open(path);
            SqliteMigrator.Check(session, path, new());
            if (await session.NumberAsync("SELECT count(*) FROM sqlite_master WHERE name = 'schema_migration'", ct)
                .ConfigureAwait(false) == 0)
                throw new StoreException($"{path} is empty.");
            var problems = new List<string>();
            var pages = await session.QueryAsync($"PRAGMA integrity_check({ShownFaults})", row => row.GetString(0), ct)
                .ConfigureAwait(false);
            if (pages is not ["ok"])
                problems.AddRange(pages);
            var orphans = await session.QueryAsync("PRAGMA foreign_key_check", row => row.GetString(0), ct).ConfigureAwait(false);
            problems.AddRange(orphans.GroupBy(table => table)
                .Select(table => $"{table.Count():N0} rows of {table.Key} name rows that are not there"));

            var projects = await session.QueryAsync(
                "SELECT id, name FROM project ORDER BY name", row => (Id: new ProjectId(row.GetInt64(0)), Name: row.GetString(1)), ct)
                    .ConfigureAwait(false);
            foreach (var project in projects)
                if (await AuditStore.VerifyAsync(session, project.Id, ct).ConfigureAwait(false) is { } broken)
                    problems.Add($"the audit of project `{project.Name}` is broken from entry {broken} on");
            foreach (var (one, other) in new[] { ("metric_cell", "metric_cell_recomputed"), ("metric_cell_recomputed", "metric_cell") })
                if (await session.NumberAsync($"SELECT count(*) FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})", ct)
                    .ConfigureAwait(false) is > 0 and var cells)
                    problems.Add($"{cells:N0} counts of {one} are not in {other}");

            var rows = new SortedDictionary<string, long>(StringComparer.Ordinal);
            foreach (var table in await session.QueryAsync(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", row =>
                    row.GetString(0), ct).ConfigureAwait(false))
                rows[table] = (await session.NumberAsync($"SELECT count(*) FROM {table}", ct).ConfigureAwait(false))!.Value;
            var migration = await session.FirstAsync(
                "SELECT name FROM schema_migration ORDER BY number DESC LIMIT 1", row => row.GetString(0), ct).ConfigureAwait(false);
            return new(path, new FileInfo(path).Length, migration ?? "none", [.. projects.Select(project => project.Name)], rows, problems);
        }
        catch (SqliteException fault)
        {
            throw SqliteMigrator.Explain(fault, path);
        }
    }

    static void Copy(SqliteSession source, string part)
    {
        using var command = source.Connection.CreateCommand();
        command.CommandText = "VACUUM INTO @target";
        command.CommandTimeout = 0;
        command.Parameters.AddWithValue("@target", part);
        command.ExecuteNonQuery();
    }

    static SqliteSession Open(string path)
    {
        var session = new SqliteSession(
            new(new SqliteConnectionStringBuilder { DataSource = path, Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString()));
        try
        {
            session.Connection.Open();
            session.Run("PRAGMA busy_timeout = 10000");
            session.Run("PRAGMA cache_size = -65536");
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>The row number of the newest span that there ever was: it only grows, also when spans are erased.</summary>
    static long LastSpan(SqliteSession session)
    {
        using var command = session.Connection.CreateCommand();
        command.CommandText = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'span'";
        return (long)command.ExecuteScalar()!;
    }

    static void Sync(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>A file's new name is on disk when its folder is; .NET opens no folders.</summary>
    static void SyncFolder(string folder)
    {
        const int ReadOnly = 0;
        if (OperatingSystem.IsWindows())
            return;
        var handle = Open([.. System.Text.Encoding.UTF8.GetBytes(folder), 0], ReadOnly);
        if (handle < 0)
            return;
        _ = FSync(handle);
        _ = Close(handle);
    }

    [DllImport("libc", EntryPoint = "open"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int FSync(int handle);

    [DllImport("libc", EntryPoint = "close"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Close(int handle);
}
