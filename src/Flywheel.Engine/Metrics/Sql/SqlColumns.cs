using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Metrics.Sql;

public enum SqlType
{
    Text,

    /// <summary>Double precision: 5 / 2 is 2.5 in both databases.</summary>
    Number,

    Boolean,
}

/// <param name="Meaning">For help and messages.</param>
public sealed record SqlColumn(string Name, SqlType Type, string Meaning);

/// <summary>The columns that an expression may name; whoever evaluates one must offer them under these names.</summary>
public static class SqlColumns
{
    public static IReadOnlyList<SqlColumn> All { get; } =
    [
        new("node", SqlType.Text, "name of the node"),
        new("kind", SqlType.Text, "kind of the node: " + Wire.Choices<NodeKind>()),
        new("input", SqlType.Text, "what the node was asked"),
        new("output", SqlType.Text, "what it answered"),
        new("error", SqlType.Text, "why the call failed"),
        new("model", SqlType.Text, "which model answered"),
        new("session", SqlType.Text, "the conversation"),
        new("end_user", SqlType.Text, "who asked"),
        new("duration_ms", SqlType.Number, "milliseconds"),
        new("input_tokens", SqlType.Number, "tokens of the prompt"),
        new("output_tokens", SqlType.Number, "tokens of the answer"),
        new("cost_usd", SqlType.Number, "US dollars"),
        new("started_at", SqlType.Text, "UTC, 2026-01-31T09:30:00.000000Z, so that texts compare as times do"),
    ];

    /// <summary>How <c>started_at</c> must read, in .NET's format language.</summary>
    public const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    /// <summary>Null when there is no such column; the case of letters does not count.</summary>
    public static SqlColumn? Find(string name) =>
        All.FirstOrDefault(column => column.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>A span's values by column name: text, double or null. For evaluators that load a row of their own.</summary>
    public static IReadOnlyDictionary<string, object?> ValuesOf(NewSpan span) => new Dictionary<string, object?>(StringComparer.Ordinal)
    {
        ["node"] = span.Node,
        ["kind"] = Wire.Name(span.Kind),
        ["input"] = span.Input,
        ["output"] = span.Output,
        ["error"] = span.Error,
        ["model"] = span.Model,
        ["session"] = span.Session,
        ["end_user"] = span.EndUser,
        ["duration_ms"] = span.DurationMs,
        ["input_tokens"] = (double?)span.InputTokens,
        ["output_tokens"] = (double?)span.OutputTokens,
        ["cost_usd"] = span.CostUsd,
        ["started_at"] = span.StartedAt.UtcDateTime.ToString(TimeFormat, System.Globalization.CultureInfo.InvariantCulture),
    };
}
