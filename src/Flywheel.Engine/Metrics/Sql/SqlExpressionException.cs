namespace Flywheel.Engine.Metrics.Sql;

/// <summary>An expression was refused; the message says where, why and what is allowed.</summary>
/// <param name="position">Of the offending character, from 1.</param>
public sealed class SqlExpressionException(int position, string message) : Exception($"At character {position}: {message}")
{
    public int Position { get; } = position;
}
