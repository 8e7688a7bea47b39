using System.Text.Json;

namespace Flywheel.Core;

/// <summary>Reads single fields of JSON objects.</summary>
public static class JsonFields
{
    /// <summary>A field as text; null if it is missing or null. Numbers and booleans are returned as their text.</summary>
    public static string? Text(JsonElement row, string field) =>
        row.ValueKind == JsonValueKind.Object && row.TryGetProperty(field, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.Null => null,
                JsonValueKind.String => value.GetString(),
                _ => value.GetRawText(),
            }
            : null;
}
