using System.Text.Json.Nodes;
using Flywheel.Demo.Resources;

namespace Flywheel.Demo.Orders;

/// <summary>What a statement gave: rows, or the reason why there are none.</summary>
/// <param name="Rows">A JSON object a row, columns in the order of the statement; empty on an error.</param>
/// <param name="IsCapped">True when there were more rows than the cap.</param>
/// <param name="Error">Null when the statement ran.</param>
public sealed record OrdersAnswer(IReadOnlyList<JsonObject> Rows, bool IsCapped, string? Error)
{
    public static OrdersAnswer Refused(string why) => new([], false, why);

    public string ToJson() => Error is { } error
        ? new JsonObject { ["error"] = error }.ToJsonString(SupportJson.Compact)
        : new JsonArray([.. Rows.Select(row => row.DeepClone())]).ToJsonString(SupportJson.Compact);
}
