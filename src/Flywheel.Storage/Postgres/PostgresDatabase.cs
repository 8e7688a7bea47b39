using System.Diagnostics;
using Flywheel.Core.Observability;
using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Jobs;
using Npgsql;

namespace Flywheel.Storage.Postgres;

/// <summary>A PostgreSQL database: as many writers as come, each in its own transaction; spans share theirs.</summary>
internal sealed class PostgresDatabase : Database
{
    static readonly KeyValuePair<string, object?> SystemTag = new("db.system.name", "postgresql");

    /// <summary>Writes at once on this process's connections; workers leave most of them to people.</summary>
    const int InteractiveWrites = 16, BackgroundWrites = 6;

    /// <summary>Deadlocks and lost connections before giving up, with growing pauses of about 10 s in all.</summary>
    const int Attempts = 10;

    readonly NpgsqlDataSource source;
    readonly StoreOptions options;
    readonly SemaphoreSlim interactive = new(InteractiveWrites), background = new(BackgroundWrites);
    readonly SpanQueue spans;
    int waiting;

    PostgresDatabase(NpgsqlDataSource source, StoreOptions options, string description)
    {
        this.source = source;
        this.options = options;
        Description = description;
        spans = new(requests => AgainAsync(() => StoreAsync(requests), CancellationToken.None), options.QueueCapacity);
    }

    public override string Description { get; }

    public override DatabaseKind Kind => DatabaseKind.Postgres;

    public override string ClaimJobs =>
        $"""
        UPDATE job
        SET visible_at = @until, fence = fence + 1, attempts = attempts + 1, worker = @worker
        WHERE id IN (
            SELECT id FROM job
            WHERE lane = @lane AND state = 'ready' AND visible_at <= @now
            ORDER BY visible_at, id
            LIMIT @limit
            FOR UPDATE SKIP LOCKED)
        RETURNING {JobRow.Columns}
        """;

    public override string? LockAudit => "SELECT count(*) FROM (SELECT pg_advisory_xact_lock(4675199, CAST(@project AS INTEGER))) AS held";

    public override string? LockSpans =>
        """
        SELECT 1
        FROM span
        WHERE (project_id, id) IN (SELECT given.project, given.span FROM @given)
        ORDER BY project_id, id
        FOR KEY SHARE
        """;

    public override int FanOutChunk => 1_000;

    public override string CountPending =>
        """
        SELECT CAST(coalesce(sum(cardinality(span_ids)), 0) AS BIGINT), (
            SELECT span.received_at
            FROM (SELECT project_id, span_ids FROM fan_out ORDER BY id LIMIT 1) AS oldest
            JOIN span ON span.project_id = oldest.project_id AND span.id = oldest.span_ids[1])
        FROM fan_out
        """;

    public static async Task<PostgresDatabase> OpenAsync(string url, StoreOptions options, CancellationToken ct)
    {
        var settings = PostgresUrl.Parse(url);
        settings.MaxAutoPrepare = 100;
        settings.AutoPrepareMinUsages = 2;
        settings.ApplicationName ??= "flywheel";
        settings.WriteBufferSize = 64 * 1024;
        // Short statements only: compiling one takes a hundred times longer than running it.
        settings.Options =
            $"{settings.Options} -c jit=off -c synchronous_commit={(options.Durability == Durability.Full ? "on" : "off")}".TrimStart();
        var place = $"{settings.Host}:{settings.Port}/{settings.Database}";
        var source = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        try
        {
            await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
            if (connection.PostgreSqlVersion.Major < 15)
                throw new StoreException($"PostgreSQL at {place} is version {connection.PostgreSqlVersion}; 15 or newer is needed.");
            await PostgresMigrator.CheckAsync(connection, options, ct).ConfigureAwait(false);
            return new(source, options, $"PostgreSQL {connection.PostgreSqlVersion} at {place}");
        }
        catch (NpgsqlException fault)
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw new StoreException($"PostgreSQL at {place} cannot be used: {fault.Message}", fault);
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public override async Task<IReadOnlyList<string>> MigrateAsync(CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        return await PostgresMigrator.ApplyAsync(connection, options, ct).ConfigureAwait(false);
    }

    public override Task<T> ReadAsync<T>(Func<Session, Task<T>> work, CancellationToken ct) => AgainAsync(
        async () =>
        {
            var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
                return await work(new PostgresSession(connection)).ConfigureAwait(false);
        },
        ct);

    public override async Task SnapshotAsync(Func<Session, Task> work, CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, ct).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
                await work(new PostgresSession(connection)).ConfigureAwait(false);
        }
    }

    protected override async Task<T> InTransactionAsync<T>(Urgency urgency, Func<Session, Task<T>> work, CancellationToken ct)
    {
        var gate = urgency == Urgency.Interactive ? interactive : background;
        if (Interlocked.Increment(ref waiting) > options.QueueCapacity && urgency == Urgency.Interactive)
        {
            Interlocked.Decrement(ref waiting);
            throw new OverloadedException(TimeSpan.FromSeconds(1));
        }
        try
        {
            await gate.WaitAsync(ct).ConfigureAwait(false);
            try
            {
                return await AgainAsync(() => CommitAsync(work, ct), ct).ConfigureAwait(false);
            }
            finally
            {
                gate.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    public override async Task<IReadOnlyList<SpanInsertResult>> AddSpansAsync(
        ProjectId project, IReadOnlyList<NewSpan> added, DateTimeOffset at, CancellationToken ct)
    {
        using var rows = new SpanCopy(project, added, at);
        return await spans.AddAsync(new(project, added, at, rows), ct).ConfigureAwait(false);
    }

    public override async Task<int> FoldAsync(Session session, int limit, CancellationToken ct)
    {
        // Two that fold at once would meet on the same counts; the second one has nothing to do anyway.
        if (await session.NumberAsync("SELECT CASE WHEN pg_try_advisory_xact_lock(4675198, 2) THEN 1 ELSE 0 END", ct)
            .ConfigureAwait(false) == 0)
            return 0;
        return (int)(await session.NumberAsync(
            """
            WITH taken AS (
                DELETE FROM metric_delta
                WHERE sequence IN (SELECT sequence FROM metric_delta ORDER BY sequence LIMIT @limit)
                RETURNING project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, change),
            folded AS (
                INSERT INTO metric_count (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, total)
                SELECT project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance, sum(change)
                FROM taken
                GROUP BY project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance
                ON CONFLICT (project_id, metric_version_id, validator_version, node, bucket, outcome, human, chance)
                    DO UPDATE SET total = metric_count.total + excluded.total)
            SELECT count(*) FROM taken
            """,
            ct, ("limit", limit)).ConfigureAwait(false) ?? 0);
    }

    public override async Task<List<PendingSpan>> TakePendingAsync(Session session, int limit, CancellationToken ct)
    {
        var (finished, projects, ids) = (new List<long>(), new List<long>(), new List<long>());
        // A row may hold one span or a thousand: few are fetched at first, and more when they were small.
        long after = 0;
        for (var fetch = 4; ids.Count < limit; fetch *= 4)
        {
            var rows = await session.QueryAsync(
                """
                SELECT id, project_id, span_ids
                FROM fan_out
                WHERE id > @after
                ORDER BY id
                LIMIT @fetch
                FOR UPDATE SKIP LOCKED
                """,
                row => (Id: row.GetInt64(0), Project: row.GetInt64(1), Spans: row.GetFieldValue<long[]>(2)), ct,
                ("after", after), ("fetch", fetch)).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var taken = Math.Min(row.Spans.Length, limit - ids.Count);
                if (taken == 0)
                    break;
                ids.AddRange(row.Spans.AsSpan(0, taken));
                projects.AddRange(Enumerable.Repeat(row.Project, taken));
                if (taken == row.Spans.Length)
                    finished.Add(row.Id);
                else
                    await session.ExecuteAsync(
                        "UPDATE fan_out SET span_ids = @rest WHERE id = @id",
                        ct, ("rest", row.Spans[taken..]), ("id", row.Id)).ConfigureAwait(false);
                after = row.Id;
            }
            if (rows.Count < fetch)
                break;
        }
        if (ids.Count == 0)
            return [];
        await session.ExecuteAsync("DELETE FROM fan_out WHERE id IN (@ids)", ct, ("ids", finished.ToArray())).ConfigureAwait(false);
        return await session.QueryGivenAsync(
            """
            SELECT project_id, id, trace_id, span_id, node, kind, started_at, revision
            FROM span
            WHERE (project_id, id) IN (SELECT given.project, given.span FROM @given)
            ORDER BY project_id, id
            FOR KEY SHARE
            """,
            JobRow.ReadPending, ct, new("project", projects.ToArray()), new("span", ids.ToArray())).ConfigureAwait(false);
    }

    public override async Task<object?> EvaluateAsync(ProjectId project, SpanId span, string expression, CancellationToken ct)
    {
        await using var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
        try
        {
            await using var limits = new NpgsqlCommand(
                $"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = {(int)options.ExpressionTimeout.TotalMilliseconds}", connection);
            await limits.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
            await using var command = new NpgsqlCommand(
                $"""
                SELECT ({expression})
                FROM (
                    SELECT node, kind, input, output, error, model, session, end_user, duration_ms, input_tokens, output_tokens,
                        cost_usd, to_char(timestamp 'epoch' + started_at * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
                            AS started_at
                    FROM span
                    WHERE id = $1 AND project_id = $2) AS span
                """,
                connection);
            command.Parameters.Add(new() { Value = span.Value });
            command.Parameters.Add(new() { Value = project.Value });
            return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) is var value and not DBNull ? value : null;
        }
        catch (PostgresException stopped) when (stopped.SqlState == PostgresErrorCodes.QueryCanceled)
        {
            throw new TimeoutException(
                $"The expression ran longer than {options.ExpressionTimeout.TotalSeconds:0.#} s on one span.", stopped);
        }
        catch (PostgresException refused)
        {
            throw new InvalidOperationException($"The database refuses the expression: {refused.MessageText}", refused);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        await spans.DisposeAsync().ConfigureAwait(false);
        await source.DisposeAsync().ConfigureAwait(false);
        interactive.Dispose();
        background.Dispose();
    }

    async Task<SpanInsertResult[][]> StoreAsync(IReadOnlyList<SpanRequest> requests)
    {
        var connection = await source.OpenConnectionAsync().ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var started = Stopwatch.GetTimestamp();
            var stored = await SpanBatch.StoreAsync(connection, requests, CancellationToken.None).ConfigureAwait(false);
            Measure(started);
            return stored;
        }
    }

    static void Measure(long started) =>
        FlywheelMeter.CommitDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds, SystemTag);

    async Task<T> CommitAsync<T>(Func<Session, Task<T>> work, CancellationToken ct)
    {
        var connection = await source.OpenConnectionAsync(ct).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var started = Stopwatch.GetTimestamp();
            var transaction = await connection.BeginTransactionAsync(ct).ConfigureAwait(false);
            await using (transaction.ConfigureAwait(false))
            {
                var result = await work(new PostgresSession(connection)).ConfigureAwait(false);
                try
                {
                    await transaction.CommitAsync(CancellationToken.None).ConfigureAwait(false);
                }
                catch (NpgsqlException fault) when (fault is not PostgresException)
                {
                    // It may have been committed: only the caller knows whether a second time does harm.
                    throw new StoreException("The connection broke while committing; the outcome is unknown.", fault);
                }
                Measure(started);
                return result;
            }
        }
    }

    /// <summary>Repeats what the database undid: deadlocks, and connections lost before the commit.</summary>
    /// <remarks>Spans may be repeated even after a commit, for their ids make the second time a repeat.</remarks>
    static async Task<T> AgainAsync<T>(Func<Task<T>> work, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (PostgresException missing) when (missing.SqlState == PostgresErrorCodes.ForeignKeyViolation)
            {
                throw new KeyNotFoundException($"A row names one that is not there: {missing.MessageText}.", missing);
            }
            catch (NpgsqlException fault) when (attempt < Attempts && fault.IsTransient)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(2_000, 10 << attempt)), ct).ConfigureAwait(false);
            }
    }
}
