using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Microsoft.Data.Sqlite;

namespace Flywheel.Storage.Evaluation;

/// <summary>A SQLite file with the results of evaluations, row by row, so that a run that was cut short goes on where it stopped.</summary>
/// <remarks>A file of its own, never the product's database: it may be thrown away. One thread at a time.</remarks>
public sealed class EvalFile : IDisposable
{
    const int SchemaVersion = 1;

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

    static readonly string[] _words = [.. Enum.GetValues<Outcome>().Select(Wire.Name)];

    readonly SqliteConnection _connection;
    readonly Prepared _case;
    readonly Prepared _finding;

    EvalFile(SqliteConnection connection)
    {
        _connection = connection;
        _case = new(connection, "INSERT OR REPLACE INTO evaluated (run_id, row, id, excerpt, expected, predicted) VALUES (@a, @b, @c, @d, @e, @f)", 6);
        _finding = new(connection,
            "INSERT OR REPLACE INTO finding (run_id, row, metric, outcome, score, confidence, reason, cost_usd, model) VALUES (@a, @b, @c, @d, @e, @f, @g, @h, @i)", 9);
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
                Execute(connection, $"BEGIN IMMEDIATE; {Schema} COMMIT");
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
            "INSERT INTO run (data, data_hash, set_hash, metrics, started_at) VALUES (@a, @b, @c, @d, @e) RETURNING id", row => row.GetInt64(0),
            run.Data, run.DataHash, run.SetHash, run.MetricsJson, Moments.Micros(at))[0];
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

    public void Finish(EvalRun run, DateTimeOffset at) =>
        Query("UPDATE run SET finished_at = @b WHERE id = @a", row => 0, run.Id, Moments.Micros(at));

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
        _connection.Dispose();
    }

    void Transact(Action work)
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
