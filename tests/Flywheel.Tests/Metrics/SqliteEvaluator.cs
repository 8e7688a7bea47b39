using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics.Sql;
using Microsoft.Data.Sqlite;

namespace Flywheel.Tests.Metrics;

/// <summary>Runs expressions over one row in a SQLite in memory.</summary>
sealed class SqliteEvaluator : ISqlEvaluator
{
    public Task<bool?> EvaluateAsync(SqlExpression expression, Span? stored, NewSpan content, CancellationToken ct) =>
        Task.FromResult(Evaluate(expression, stored?.Content ?? content));

    public static bool? Evaluate(SqlExpression expression, NewSpan content)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        using var command = connection.CreateCommand();
        var values = SqlColumns.ValuesOf(content);
        command.CommandText =
            $"SELECT {expression.ToSql(SqlDialect.Sqlite)} FROM (SELECT "
                + $"{string.Join(", ", values.Keys.Select(name => $"@{name} AS {name}"))})";
        foreach (var (name, value) in values)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command.ExecuteScalar() is long value1 ? value1 != 0 : null;
    }
}
