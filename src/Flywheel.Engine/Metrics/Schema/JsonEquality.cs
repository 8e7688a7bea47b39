using System.Text.Json;

namespace Flywheel.Engine.Metrics.Schema;

/// <summary>Equality as JSON Schema means it: 1 and 1.0 are equal, the order of names does not count.</summary>
sealed class JsonEquality : IEqualityComparer<JsonElement>
{
    public static JsonEquality Instance { get; } = new();

    public bool Equals(JsonElement x, JsonElement y) => JsonElement.DeepEquals(x, y);

    public int GetHashCode(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!.GetHashCode(StringComparison.Ordinal),
        JsonValueKind.Number => value.GetDouble().GetHashCode(),
        JsonValueKind.Array =>
            value.EnumerateArray().Take(16).Aggregate(value.GetArrayLength(), (hash, item) => HashCode.Combine(hash, GetHashCode(item))),
        JsonValueKind.Object => value.EnumerateObject().Aggregate(17, (hash, property) =>
            hash + HashCode.Combine(property.Name, GetHashCode(property.Value))),
        _ => (int)value.ValueKind,
    };
}
