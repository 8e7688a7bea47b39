using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Flywheel.Demo.Orders;

namespace Flywheel.Demo;

/// <summary>Puts facts into a reply: the writer says <c>{status}</c>, the application fills in <c>shipped</c>.</summary>
/// <remarks>
/// So a model can neither invent a figure nor carry one customer's figure into another's reply, and replies that become
/// demonstrations hold no customer's data. <c>{column}</c> is a value of the first row, <c>{rows}</c> all rows, <c>{count}</c>
/// their number.
/// </remarks>
public static partial class FactText
{
    /// <summary>What the writer may refer to.</summary>
    /// <param name="answer">Null when the message needed no data.</param>
    public static string Describe(OrdersAnswer? answer) => answer switch
    {
        null => "not needed",
        { Error: not null } => "not available",
        { Rows.Count: 0 } => "none found",
        _ => string.Join(", ", answer.Rows[0].Select(column => $"{{{column.Key}}}")) + (answer.Rows.Count > 1 ? ", {rows}, {count}" : ""),
    };

    /// <returns>Null when the text refers to a fact that the rows do not hold.</returns>
    public static string? Fill(string text, IReadOnlyList<JsonObject> rows)
    {
        var isComplete = true;
        var filled = Placeholder().Replace(text, match =>
        {
            var fact = Fact(match.Groups["name"].Value, rows);
            isComplete &= fact is not null;
            return fact ?? "";
        });
        return isComplete ? filled : null;
    }

    static string? Fact(string name, IReadOnlyList<JsonObject> rows) => name switch
    {
        _ when rows.Count == 0 => null,
        "rows" => string.Join("; ", rows.Select(row => string.Join(", ", row.Select(column => Show(column.Key, column.Value))))),
        "count" => rows.Count.ToString(CultureInfo.InvariantCulture),
        _ => rows[0].TryGetPropertyValue(name, out var value) ? Show(name, value) : null,
    };

    static string Show(string column, JsonNode? value) => value switch
    {
        null => "–",
        JsonValue number when column.EndsWith("_eur", StringComparison.Ordinal) && number.TryGetValue<double>(out var euros) =>
            euros.ToString("0.00", CultureInfo.InvariantCulture),
        _ => value.ToString(),
    };

    [GeneratedRegex(@"\{(?<name>[A-Za-z_][A-Za-z0-9_]*)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();
}
