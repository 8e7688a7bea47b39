using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Evaluation;

/// <summary>A SQLite file with the results of evaluations, row by row, so that a run that was cut short goes on where it stopped.</summary>
/// <remarks>A file of its own, never the product's database: it may be thrown away. One thread at a time, but for keeping what a row came to.</remarks>
public sealed class EvalFile : IDisposable
{
    const int SchemaVersion = 2;

    const string Schema =
        """
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            data TEXT NOT NULL,
            data_hash TEXT NOT NULL,
            set_hash TEXT NOT NULL,
            metrics TEXT NOT NULL,      -- the set as JSON
            started_at INTEGER NOT NULL, -- microseconds since 1970 UTC
            finished_at INTEGER         -- null while it runs, and when it was cut short
        ) STRICT;
        CREATE INDEX run_by_hash ON run (data_hash, set_hash);
        CREATE TABLE run_metric (
            run_id INTEGER NOT NULL REFERENCES run (id),
            metric INTEGER NOT NULL,    -- place in the set, from 0
            name TEXT NOT NULL,
            PRIMARY KEY (run_id, metric)
        ) STRICT, WITHOUT ROWID;
        -- A row is here together with all its findings, or not at all.
        CREATE TABLE evaluated (
            run_id INTEGER NOT NULL,
            row INTEGER NOT NULL,
            id TEXT NOT NULL,
            excerpt TEXT,
            expected TEXT,
            predicted TEXT,
            PRIMARY KEY (run_id, row)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE finding (
            run_id INTEGER NOT NULL,
            row INTEGER NOT NULL,
            metric INTEGER NOT NULL,
            outcome TEXT NOT NULL,
            score REAL,
            confidence REAL,
            reason TEXT,
            cost_usd REAL NOT NULL,
            model TEXT,
            PRIMARY KEY (run_id, row, metric)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 1;
        """;

    /// <summary>Outputs that a model made for the run.</summary>
    const string Second =
        """
        ALTER TABLE run ADD COLUMN about TEXT; -- JSON: what made the outputs; null when they were in the file
        CREATE TABLE generated (
            run_id INTEGER NOT NULL,
            row INTEGER NOT NULL,
            output TEXT,
            error TEXT,
            input_tokens INTEGER,
            output_tokens INTEGER,
            cost_usd REAL NOT NULL,
            latency_ms REAL NOT NULL,
            model TEXT,
            demonstrations TEXT,
            PRIMARY KEY (run_id, row)
        ) STRICT, WITHOUT ROWID;
        PRAGMA user_version = 2;
        """;

    static readonly string[] _words = [.. Enum.GetValues<Outcome>().Select(Wire.Name)];

    readonly SqliteConnection _connection;
    readonly Prepared _case;
    readonly Prepared _finding;
    readonly Prepared _generated;
    readonly Lock _keeping = new();

    EvalFile(SqliteConnection connection)
    {
        _connection = connection;
        _case = new(connection, "INSERT OR REPLACE INTO evaluated (run_id, row, id, excerpt, expected, predicted) VALUES (@a, @b, @c, @d, @e, @f)", 6);
        _finding = new(connection,
            "INSERT OR REPLACE INTO finding (run_id, row, metric, outcome, score, confidence, reason, cost_usd, model) VALUES (@a, @b, @c, @d, @e, @f, @g, @h, @i)", 9);
        _generated = new(connection,
            """
            INSERT OR REPLACE INTO generated (run_id, row, output, error, input_tokens, output_tokens, cost_usd, latency_ms, model, demonstrations)
            VALUES (@a, @b, @c, @d, @e, @f, @g, @h, @i, @j)
            """, 10);
    }

    /// <exception cref="StoreException">The file cannot be opened, is no results file, or belongs to a newer program.</exception>
    public static EvalFile Open(string path)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 10 }.ConnectionString);
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
            var version = Number(connection, "PRAGMA user_version");
            var tables = Number(connection, "SELECT count(*) FROM sqlite_schema");
            if (version > SchemaVersion || (tables > 0 && (version == 0 || Number(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'evaluated'") == 0)))
                throw new StoreException($"{path} holds other data than evaluation results of this version: name another file with --results.");
            if (tables == 0)
                Execute(connection, $"BEGIN IMMEDIATE; {Schema} {Second} COMMIT");
            else if (version == 1)
                Execute(connection, $"BEGIN IMMEDIATE; {Second} COMMIT");
            return new(connection);
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new StoreException($"{path} cannot be used for results: {error.Message} Name another file with --results.", error);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Goes on with the newest unfinished run over the same data and metrics, or begins one.</summary>
    /// <param name="afresh">Begin a new run whatever there is.</param>
    public EvalRun Begin(NewEvalRun run, bool afresh, DateTimeOffset at)
    {
        var begun = default(EvalRun)!;
        Transact(() => begun = BeginInside(run, afresh, at));
        return begun;
    }

    EvalRun BeginInside(NewEvalRun run, bool afresh, DateTimeOffset at)
    {
        var old = afresh ? [] : Query(
            "SELECT id, started_at FROM run WHERE data_hash = @a AND set_hash = @b AND finished_at IS NULL ORDER BY id DESC LIMIT 1",
            row => (Id: row.GetInt64(0), At: row.Moment(1)), run.DataHash, run.SetHash);
        if (old is [var found])
        {
            var rows = Number(_connection, "SELECT count(*) FROM evaluated WHERE run_id = @a", found.Id);
            return new(found.Id, run, found.At, (int)rows);
        }
        var id = Query(
            "INSERT INTO run (data, data_hash, set_hash, metrics, started_at, about) VALUES (@a, @b, @c, @d, @e, @f) RETURNING id", row => row.GetInt64(0),
            run.Data, run.DataHash, run.SetHash, run.MetricsJson, Timestamps.Micros(at), run.About)[0];
        for (var i = 0; i < run.Metrics.Count; i++)
            Query("INSERT INTO run_metric (run_id, metric, name) VALUES (@a, @b, @c)", row => 0, id, i, run.Metrics[i]);
        return new(id, run, at, 0);
    }

    /// <summary>Line numbers that need no second check.</summary>
    public IReadOnlySet<int> Done(EvalRun run) =>
        Query("SELECT row FROM evaluated WHERE run_id = @a", row => row.GetInt32(0), run.Id).ToHashSet();

    /// <summary>Keeps cases: when this returns, they are on disk.</summary>
    public void Add(EvalRun run, IReadOnlyList<EvaluatedCase> cases) => Transact(() =>
    {
        foreach (var one in cases)
        {
            _case.Run(run.Id, one.Row, one.Id, one.Excerpt, one.Expected, one.Predicted);
            for (var i = 0; i < one.Findings.Count; i++)
            {
                var finding = one.Findings[i];
                _finding.Run(run.Id, one.Row, i, _words[(int)finding.Outcome], finding.Score, finding.Confidence ?? finding.RawConfidence, finding.Reason, finding.CostUsd, finding.Model);
            }
        }
    });

    /// <summary>Keeps an output: when this returns, it is on disk. Any thread.</summary>
    public void Add(EvalRun run, GeneratedOutput it) => Transact(() => _generated.Run(
        run.Id, it.Row, it.Output, it.Error, it.InputTokens, it.OutputTokens, it.CostUsd, it.LatencyMs, it.Model, Rows.Json(it.Demonstrations)));

    /// <summary>Outputs of rows that were not checked: of a run that was cut short.</summary>
    public IReadOnlyDictionary<int, GeneratedOutput> Unchecked(EvalRun run) => Query(
        """
        SELECT row, output, error, input_tokens, output_tokens, cost_usd, latency_ms, model, demonstrations
        FROM generated
        WHERE run_id = @a AND NOT EXISTS (SELECT 1 FROM evaluated WHERE evaluated.run_id = generated.run_id AND evaluated.row = generated.row)
        """,
        row => new GeneratedOutput(
            row.GetInt32(0), row.TextOrNull(1), row.TextOrNull(2), row.IntOrNull(3), row.IntOrNull(4), row.GetDouble(5), row.GetDouble(6), row.TextOrNull(7), row.Ids(8)),
        run.Id).ToDictionary(each => each.Row);

    /// <returns>Null when the run's outputs were in the file.</returns>
    public GenerationTotals? Generation(EvalRun run)
    {
        var sums = Query(
            "SELECT count(*), count(error), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), coalesce(sum(cost_usd), 0) FROM generated WHERE run_id = @a",
            row => new GenerationTotals(row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetDouble(4), null, null), run.Id)[0];
        return sums.Rows == 0 ? null : sums with { MedianMs = Latency(run, sums.Rows, 0.5), SlowMs = Latency(run, sums.Rows, 0.95) };
    }

    double Latency(EvalRun run, long rows, double share) => Query(
        "SELECT latency_ms FROM generated WHERE run_id = @a ORDER BY latency_ms LIMIT 1 OFFSET @b", row => row.GetDouble(0),
        run.Id, Math.Min(rows - 1, (long)(share * rows)))[0];

    /// <summary>Dollars that the run cost so far, outputs and judges.</summary>
    public double Spent(EvalRun run) => Query(
        "SELECT (SELECT coalesce(sum(cost_usd), 0) FROM generated WHERE run_id = @a) + (SELECT coalesce(sum(cost_usd), 0) FROM finding WHERE run_id = @a)",
        row => row.GetDouble(0), run.Id)[0];

    /// <summary>Newest first.</summary>
    public IReadOnlyList<EvalRunSummary> Runs(int limit) => [.. Query(
        """
        SELECT id, data, data_hash, set_hash, metrics, about, started_at, finished_at, (SELECT count(*) FROM evaluated WHERE evaluated.run_id = run.id)
        FROM run ORDER BY id DESC LIMIT @a
        """,
        ReadRun, limit).Select(WithNames)];

    public EvalRunSummary? Find(long id) => Query(
        """
        SELECT id, data, data_hash, set_hash, metrics, about, started_at, finished_at, (SELECT count(*) FROM evaluated WHERE evaluated.run_id = run.id)
        FROM run WHERE id = @a
        """,
        ReadRun, id).Select(WithNames).FirstOrDefault();

    static EvalRunSummary ReadRun(SqliteDataReader row) => new(
        new(row.GetInt64(0), new(row.GetString(1), row.GetString(2), row.GetString(3), [], row.GetString(4), row.TextOrNull(5)), row.Moment(6), 0),
        row.MomentOrNull(7), row.GetInt64(8));

    EvalRunSummary WithNames(EvalRunSummary it) => it with
    {
        Run = it.Run with { About = it.Run.About with { Metrics = Query("SELECT name FROM run_metric WHERE run_id = @a ORDER BY metric", row => row.GetString(0), it.Run.Id) } },
    };

    /// <summary>Every row of a run in the file's order, as a stream.</summary>
    public IEnumerable<EvalOutcomes> OutcomesOf(EvalRun run)
    {
        using var command = Command(
            """
            SELECT evaluated.row, evaluated.id, evaluated.excerpt, evaluated.expected, evaluated.predicted, finding.metric, finding.outcome
            FROM evaluated
            LEFT JOIN finding ON finding.run_id = evaluated.run_id AND finding.row = evaluated.row
            WHERE evaluated.run_id = @a
            ORDER BY evaluated.row, finding.metric
            """,
            run.Id);
        using var row = command.ExecuteReader();
        EvalOutcomes? open = null;
        while (row.Read())
        {
            if (open?.Row != row.GetInt32(0))
            {
                if (open is not null)
                    yield return open;
                open = new(row.GetInt32(0), row.GetString(1), row.TextOrNull(2), row.TextOrNull(3), row.TextOrNull(4), new Outcome?[run.About.Metrics.Count]);
            }
            if (!row.IsDBNull(5))
                open.Outcomes[row.GetInt32(5)] = row.Word<Outcome>(6);
        }
        if (open is not null)
            yield return open;
    }

    public void Finish(EvalRun run, DateTimeOffset at) =>
        Query("UPDATE run SET finished_at = @b WHERE id = @a", row => 0, run.Id, Timestamps.Micros(at));

    public IReadOnlyList<EvalCount> Counts(EvalRun run) => Query(
        "SELECT metric, outcome, count(*), sum(cost_usd) FROM finding WHERE run_id = @a GROUP BY metric, outcome ORDER BY metric, outcome",
        row => new EvalCount(row.GetInt32(0), row.Word<Outcome>(1), row.GetInt64(2), row.GetDouble(3)), run.Id);

    /// <summary>The rows that failed most metrics or could not be checked, worst first, with every fail and error of theirs.</summary>
    public IReadOnlyList<EvalFault> Worst(EvalRun run, int rows) => Query(
        """
        SELECT finding.row, evaluated.id, evaluated.excerpt, finding.metric, finding.outcome, finding.score, finding.reason
        FROM (
            SELECT row, count(*) AS faults
            FROM finding
            WHERE run_id = @a AND outcome IN ('fail', 'error')
            GROUP BY row
            ORDER BY faults DESC, row
            LIMIT @b) AS worst
        JOIN finding ON finding.run_id = @a AND finding.row = worst.row AND finding.outcome IN ('fail', 'error')
        JOIN evaluated ON evaluated.run_id = @a AND evaluated.row = worst.row
        ORDER BY worst.faults DESC, finding.row, finding.metric
        """,
        row => new EvalFault(row.GetInt32(0), row.GetString(1), row.TextOrNull(2), row.GetInt32(3), row.Word<Outcome>(4), row.DoubleOrNull(5), row.TextOrNull(6)),
        run.Id, rows);

    public IReadOnlyList<ConfusionCell> Confusion(EvalRun run) => Query(
        """
        SELECT expected, predicted, count(*) FROM evaluated
        WHERE run_id = @a AND expected IS NOT NULL AND predicted IS NOT NULL GROUP BY expected, predicted ORDER BY expected, predicted
        """,
        row => new ConfusionCell(row.GetString(0), row.GetString(1), row.GetInt64(2)), run.Id);

    /// <summary>Cases without an output or a right class: what <see cref="Confusion"/> leaves out.</summary>
    public long Incomparable(EvalRun run) =>
        Number(_connection, "SELECT count(*) FROM evaluated WHERE run_id = @a AND (expected IS NULL OR predicted IS NULL)", run.Id);

    /// <summary>Every finding of one metric in row order, as a stream.</summary>
    public IEnumerable<EvalFault> Of(EvalRun run, int metric)
    {
        using var command = Command(
            """
            SELECT finding.row, evaluated.id, NULL, finding.metric, finding.outcome, finding.score, finding.reason
            FROM finding
            JOIN evaluated ON evaluated.run_id = finding.run_id AND evaluated.row = finding.row
            WHERE finding.run_id = @a AND finding.metric = @b
            ORDER BY finding.row
            """,
            run.Id, metric);
        using var row = command.ExecuteReader();
        while (row.Read())
            yield return new(row.GetInt32(0), row.GetString(1), null, row.GetInt32(3), row.Word<Outcome>(4), row.DoubleOrNull(5), row.TextOrNull(6));
    }

    public void Dispose()
    {
        _case.Dispose();
        _finding.Dispose();
        _generated.Dispose();
        _connection.Dispose();
    }

    void Transact(Action work)
    {
        lock (_keeping)
            TransactAlone(work);
    }

    void TransactAlone(Action work)
    {
        Execute(_connection, "BEGIN IMMEDIATE");
        try
        {
            work();
            Execute(_connection, "COMMIT");
        }
        catch
        {
            if (SQLitePCL.raw.sqlite3_get_autocommit(_connection.Handle) == 0)
                Execute(_connection, "ROLLBACK");
            throw;
        }
    }

    List<T> Query<T>(string sql, Func<SqliteDataReader, T> read, params object?[] values)
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    SqliteCommand Command(string sql, params object?[] values) => Command(_connection, sql, values);

    static SqliteCommand Command(SqliteConnection connection, string sql, params object?[] values)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < values.Length; i++)
            command.Parameters.AddWithValue("@" + (char)('a' + i), values[i] ?? DBNull.Value);
        return command;
    }

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = Command(connection, sql);
        command.ExecuteNonQuery();
    }

    static long Number(SqliteConnection connection, string sql, params object?[] values)
    {
        using var command = Command(connection, sql, values);
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>A statement that is run for every row.</summary>
    sealed class Prepared : IDisposable
    {
        readonly SqliteCommand _command;

        public Prepared(SqliteConnection connection, string sql, int values)
        {
            _command = connection.CreateCommand();
            _command.CommandText = sql;
            for (var i = 0; i < values; i++)
                _command.Parameters.Add(new SqliteParameter("@" + (char)('a' + i), null));
        }

        public void Run(params ReadOnlySpan<object?> values)
        {
            for (var i = 0; i < values.Length; i++)
                _command.Parameters[i].Value = values[i] ?? DBNull.Value;
            _command.ExecuteNonQuery();
        }

        public void Dispose() => _command.Dispose();
    }
}
