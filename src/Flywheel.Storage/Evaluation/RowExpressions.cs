using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Flywheel.Storage.Evaluation;

/// <summary>Evaluates checked SQL expressions over rows that are stored nowhere, with the engine of the embedded database.</summary>
/// <remarks>Any number of threads; each expression is prepared once a connection.</remarks>
public sealed class RowExpressions : IDisposable
{
    const int Interrupted = 9;
    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    readonly ConcurrentBag<Evaluator> _idle = [];
    readonly ConcurrentBag<Evaluator> _all = [];

    /// <param name="expression">In SQLite's dialect, as the expression's own writer made it; never a user's text.</param>
    /// <param name="row">Value by column: text, double, or null.</param>
    /// <returns>Null when the expression is SQL null for this row.</returns>
    /// <exception cref="TimeoutException">It ran too long.</exception>
    /// <exception cref="InvalidOperationException">The database refuses it.</exception>
    public bool? Evaluate(string expression, IReadOnlyDictionary<string, object?> row, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        if (!_idle.TryTake(out var evaluator))
            _all.Add(evaluator = new());
        try
        {
            return evaluator.Evaluate(expression, row, ct);
        }
        finally
        {
            _idle.Add(evaluator);
        }
    }

    public void Dispose()
    {
        foreach (var evaluator in _all)
            evaluator.Dispose();
    }

    sealed class Evaluator : IDisposable
    {
        readonly SqliteConnection _connection = new("Data Source=:memory:;Pooling=False");
        readonly Dictionary<string, SqliteCommand> _prepared = new(StringComparer.Ordinal);

        public Evaluator() => _connection.Open();

        public bool? Evaluate(string expression, IReadOnlyDictionary<string, object?> row, CancellationToken ct)
        {
            var command = Prepared(expression, row);
            foreach (SqliteParameter parameter in command.Parameters)
                parameter.Value = row[parameter.ParameterName[1..]] ?? DBNull.Value;
            var start = Stopwatch.GetTimestamp();
            raw.sqlite3_progress_handler(
                _connection.Handle, 10_000, _ => Stopwatch.GetElapsedTime(start) > Timeout || ct.IsCancellationRequested ? 1 : 0, null);
            try
            {
                return command.ExecuteScalar() switch
                {
                    null or DBNull => null,
                    long number => number != 0,
                    double number => number != 0,
                    var other => throw new InvalidOperationException(
                        $"The expression's value is no truth value but {other.GetType().Name}."),
                };
            }
            catch (SqliteException stopped) when (stopped.SqliteErrorCode == Interrupted)
            {
                ct.ThrowIfCancellationRequested();
                throw new TimeoutException($"The expression ran longer than {Timeout.TotalSeconds:0} s on one row.", stopped);
            }
            catch (SqliteException refused)
            {
                throw new InvalidOperationException($"The database refuses the expression: {refused.Message}", refused);
            }
        }

        SqliteCommand Prepared(string expression, IReadOnlyDictionary<string, object?> row)
        {
            if (_prepared.TryGetValue(expression, out var known))
                return known;
            var command = _connection.CreateCommand();
            command.CommandText =
                $"SELECT ({expression}) FROM (SELECT {string.Join(", ", row.Keys.Select(name => $"@{name} AS {name}"))}) AS span";
            foreach (var name in row.Keys)
                command.Parameters.Add(new SqliteParameter("@" + name, null));
            return _prepared[expression] = command;
        }

        public void Dispose()
        {
            foreach (var command in _prepared.Values)
                command.Dispose();
            _connection.Dispose();
        }
    }
}
