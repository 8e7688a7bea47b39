using System.Collections.Concurrent;
using System.Diagnostics;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Jobs;
using Flywheel.Storage.Traces;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Storage.Sqlite;

/// <summary>One SQLite file in WAL mode: one writer with group commit, readers that never wait for it.</summary>
internal sealed class SqliteDatabase : Database
{
    const int ReadersKept = 16;
    const int SqliteInterrupt = 9;
    const int SqliteBusy = 5;
    const int SqliteLocked = 6;

    readonly string path;
    readonly bool temporary;
    readonly StoreOptions options;
    readonly SqliteWriter writer;
    readonly ConcurrentBag<SqliteSession> readers = [];
    int disposed;

    SqliteDatabase(string path, bool temporary, StoreOptions options, SqliteSession session)
    {
        this.path = path;
        this.temporary = temporary;
        this.options = options;
        writer = new(session, options.QueueCapacity);
    }

    public override string Description => $"SQLite {raw.sqlite3_libversion().utf8_to_string()} at {path}";

    public override DatabaseKind Kind => DatabaseKind.Sqlite;

    public override string ClaimJobs =>
        $"""
        UPDATE job
        SET visible_at = @until, fence = fence + 1, attempts = attempts + 1, worker = @worker
        WHERE id IN (
            SELECT id FROM job
            WHERE lane = @lane AND state = 'ready' AND visible_at <= @now
            ORDER BY visible_at, id
            LIMIT @limit)
        RETURNING {JobRow.Columns}
        """;

    public override string? LockAudit => null;

    public override string? LockSpans => null;

    public override int FanOutChunk => 200;

    public override string CountPending =>
        """
        SELECT
            (SELECT count(*) FROM fan_out WHERE span_id <= (SELECT span_id FROM fan_out_cursor))
                + (SELECT coalesce(sum((
                    -- The rows themselves are wide; this index holds nothing but their numbers.
                    SELECT count(*) FROM span INDEXED BY span_by_arrival
                    WHERE span.project_id = project.id AND span.id > (SELECT span_id FROM fan_out_cursor))), 0)
                    FROM project),
            (SELECT received_at FROM span WHERE id = coalesce(
                (SELECT min(span_id) FROM fan_out), (SELECT min(id) FROM span WHERE id > (SELECT span_id FROM fan_out_cursor))))
        """;

    public override async Task<string?> FindDamageAsync(CancellationToken ct)
    {
        var found = await QueryAsync("PRAGMA integrity_check(20)", row => row.GetString(0), ct).ConfigureAwait(false);
        return found is ["ok"] ? null : string.Join("; ", found);
    }

    /// <param name="path">A file, or <c>:memory:</c> for a file that goes when the store is closed.</param>
    public static SqliteDatabase Open(string path, StoreOptions options)
    {
        var temporary = path == ":memory:";
        if (temporary)
            path = Path.Combine(Directory.CreateTempSubdirectory("flywheel-").FullName, "flywheel.db");
        path = Path.GetFullPath(path);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            throw new StoreException($"There is no folder {Path.GetDirectoryName(path)} for the database: create it first.");

        SqliteNative.Initialize();
        var session = new SqliteSession(new(Connect(path, SqliteOpenMode.ReadWriteCreate)));
        try
        {
            session.Connection.Open();
            Pragmas(session, options);
            SqliteMigrator.Check(session, path, options);
            return new(path, temporary, options, session);
        }
        catch (SqliteException fault)
        {
            session.Dispose();
            throw SqliteMigrator.Explain(fault, path);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public override Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct) =>
        Task.Run<IReadOnlyList<string>>(
            () =>
            {
                using var session = new SqliteSession(new(Connect(path, SqliteOpenMode.ReadWrite)));
                session.Connection.Open();
                Pragmas(session, options);
                return SqliteMigrator.Apply(session, options);
            },
            ct);

    public override Task<bool> CompactAsync(CancellationToken ct) =>
        Task.Run(
            async () =>
            {
                using var session = new SqliteSession(new(Connect(path, SqliteOpenMode.ReadWrite)));
                session.Connection.Open();
                session.Run("PRAGMA busy_timeout = 10000");
                try
                {
                    session.Run("VACUUM");
                }
                catch (SqliteException busy) when (busy.SqliteErrorCode is SqliteBusy or SqliteLocked)
                {
                    throw new TimeoutException("others kept writing to the file.", busy);
                }
                // The log holds old pages until it is emptied, which waits for whoever reads them.
                var isBusy = await session.NumberAsync("PRAGMA wal_checkpoint(TRUNCATE)", ct).ConfigureAwait(false);
                return isBusy == 0 ? true : throw new TimeoutException("others kept reading the file's log.");
            },
            ct);

    public override async Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken ct)
    {
        var session = Reader();
        try
        {
            // One snapshot for all statements of the work.
            session.Run("BEGIN");
            try
            {
                return await work(session).ConfigureAwait(false);
            }
            finally
            {
                session.Run("ROLLBACK");
            }
        }
        finally
        {
            Return(session);
        }
    }

    public override Task SnapshotAsync(Func<Session, Task> work, CancellationToken ct) => ReadAsync(
        async session =>
        {
            await work(session).ConfigureAwait(false);
            return true;
        },
        ct);

    protected override Task<T> InTransactionAsync<T>(Urgency urgency, Func<Session, Task<T>> work, CancellationToken ct) =>
        writer.RunAsync(urgency, weight: 1, urgency == Urgency.Background ? Undo.Restart : Undo.Savepoint, work, ct);

    public override async Task<IReadOnlyList<SpanInsertResult>> AddSpansAsync(
        ProjectId project, IReadOnlyList<NewSpan> spans, DateTimeOffset at, CancellationToken ct)
    {
        using var texts = new SpanTexts(spans);
        return await writer.RunAsync(
            Urgency.Interactive, spans.Count, spans.Count == 1 ? Undo.Itself : Undo.Restart, session =>
                AddAsync(session, project, spans, texts, at), ct)
            .ConfigureAwait(false);
    }

    public override async Task<int> FoldAsync(Session session, int limit, CancellationToken ct)
    {
        var last = await session.NumberAsync(
            "SELECT max(sequence) FROM (SELECT sequence FROM metric_delta ORDER BY sequence LIMIT @limit) AS first",
            ct, ("limit", limit)).ConfigureAwait(false);
        if (last is null)
            return 0;
        await session.ExecuteAsync(
            """
            INSERT INTO metric_count (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, total)
            SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, sum(change)
            FROM metric_delta
            WHERE sequence <= @last
            GROUP BY project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance
            ON CONFLICT (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance)
                DO UPDATE SET total = total + excluded.total
            """,
            ct, ("last", last)).ConfigureAwait(false);
        return await session.ExecuteAsync("DELETE FROM metric_delta WHERE sequence <= @last", ct, ("last", last)).ConfigureAwait(false);
    }

    public override async Task<List<PendingSpan>> TakePendingAsync(Session session, int limit, CancellationToken ct)
    {
        var taken = await session.QueryAsync(
            """
            SELECT span.project_id, span.id, span.trace_id, span.span_id, span.node, span.kind, span.started_at,
                span.revision
            FROM (
                -- Each half is limited by itself: under one limit for both SQLite would first collect all that waits.
                SELECT id FROM (SELECT span_id AS id FROM fan_out ORDER BY span_id LIMIT @limit)
                UNION
                SELECT id FROM (SELECT id FROM span WHERE id > (SELECT span_id FROM fan_out_cursor) ORDER BY id LIMIT @limit)
                ORDER BY id
                LIMIT @limit) AS pending
            JOIN span ON span.id = pending.id
            ORDER BY span.id
            """,
            JobRow.ReadPending, ct, ("limit", limit)).ConfigureAwait(false);
        if (taken.Count == 0)
            return taken;
        var last = taken[^1].Id.Value;
        await session.ExecuteAsync("DELETE FROM fan_out WHERE span_id <= @last", ct, ("last", last)).ConfigureAwait(false);
        await session.ExecuteAsync("UPDATE fan_out_cursor SET span_id = max(span_id, @last)", ct, ("last", last)).ConfigureAwait(false);
        return taken;
    }

    public override Task<object?> EvaluateAsync(ProjectId project, SpanId span, string expression, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        var session = Reader();
        try
        {
            var start = Stopwatch.GetTimestamp();
            raw.sqlite3_progress_handler(
                session.Connection.Handle, 1_000,
                _ => Stopwatch.GetElapsedTime(start) > options.ExpressionTimeout || ct.IsCancellationRequested ? 1 : 0, null);
            using var command = session.Connection.CreateCommand();
            command.CommandText =
                $"""
                SELECT ({expression})
                FROM (
                    SELECT node, kind, input, output, error, model, session, end_user, duration_ms, input_tokens, output_tokens,
                        cost_usd, strftime('%Y-%m-%dT%H:%M:%S', started_at / 1000000, 'unixepoch')
                            || printf('.%06dZ', started_at % 1000000) AS started_at
                    FROM span
                    WHERE id = @id AND project_id = @project) AS span
                """;
            command.Parameters.AddWithValue("@id", span.Value);
            command.Parameters.AddWithValue("@project", project.Value);
            using var reader = command.ExecuteReader();
            return Task.FromResult(reader.Read() && !reader.IsDBNull(0) ? reader.GetValue(0) : null);
        }
        catch (SqliteException stopped) when (stopped.SqliteErrorCode == SqliteInterrupt)
        {
            ct.ThrowIfCancellationRequested();
            throw new TimeoutException(
                $"The expression ran longer than {options.ExpressionTimeout.TotalSeconds:0.#} s on one span.", stopped);
        }
        catch (SqliteException refused)
        {
            throw new InvalidOperationException($"The database refuses the expression: {refused.Message}", refused);
        }
        finally
        {
            raw.sqlite3_progress_handler(session.Connection.Handle, 0, null, null);
            Return(session);
        }
    }

    public override ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) == 1)
            return ValueTask.CompletedTask;
        while (readers.TryTake(out var reader))
            reader.Dispose();
        writer.Dispose();
        if (temporary)
            Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        return ValueTask.CompletedTask;
    }

    static async Task<IReadOnlyList<SpanInsertResult>> AddAsync(
        SqliteSession session, ProjectId project, IReadOnlyList<NewSpan> spans, SpanTexts texts, DateTimeOffset at)
    {
        var insert = session.SpanInsert;
        var fates = new SpanInsertResult[spans.Count];
        insert.Begin(project, Timestamps.Micros(at));
        try
        {
            for (var i = 0; i < fates.Length; i++)
                if (!insert.Run(spans[i], texts, i))
                    fates[i] = await FateAsync(session, project, spans[i]).ConfigureAwait(false);
        }
        finally
        {
            insert.End();
        }
        return fates;
    }

    /// <summary>What becomes of a span whose ids are taken.</summary>
    static async Task<SpanInsertResult> FateAsync(SqliteSession session, ProjectId project, NewSpan span)
    {
        var stored = await session.FirstAsync(
            $"""
            SELECT {SpanRow.Columns}
            FROM span
            WHERE project_id = @project AND trace_id = @trace AND span_id = @span
            """,
            SpanRow.Read, CancellationToken.None,
            ("project", project.Value), ("trace", span.Key.Trace), ("span", span.Key.Span)).ConfigureAwait(false);
        return SpanRow.IsRepeat(stored!.Content, span) ? SpanInsertResult.Repeated : SpanInsertResult.Conflicting;
    }

    SqliteSession Reader()
    {
        ObjectDisposedException.ThrowIf(disposed == 1, this);
        if (readers.TryTake(out var session))
            return session;
        session = new(new(Connect(path, SqliteOpenMode.ReadOnly)));
        session.Connection.Open();
        session.Run("PRAGMA busy_timeout = 5000");
        session.Run("PRAGMA cache_size = -16384");
        return session;
    }

    void Return(SqliteSession session)
    {
        if (disposed == 1 || readers.Count >= ReadersKept)
            session.Dispose();
        else
            readers.Add(session);
    }

    static string Connect(string path, SqliteOpenMode mode) =>
        new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 5 }.ToString();

    static void Pragmas(SqliteSession session, StoreOptions options)
    {
        session.Run("PRAGMA busy_timeout = 5000");
        // Two KB rows fill pages of 8 KB three to one, those of 4 KB only half; a file keeps the size that it began with.
        session.Run("PRAGMA page_size = 8192");
        session.Run("PRAGMA journal_mode = WAL");
        // A page that changes often is then copied to the main file once in 32 MB of log instead of once in 8.
        session.Run("PRAGMA wal_autocheckpoint = 4000");
        session.Run("PRAGMA journal_size_limit = 67108864");
        session.Run(options.Durability == Durability.Full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
        session.Run("PRAGMA foreign_keys = ON");
        // After a commit that moved pages SQLite walks over all of its cache: 64 MB cost a commit of a few spans more than the
        // reads that they save.
        session.Run("PRAGMA cache_size = -32768");
        // Savepoints and statements with triggers keep old pages for undoing; on disk they would triple the writes.
        session.Run("PRAGMA temp_store = MEMORY");
    }
}
