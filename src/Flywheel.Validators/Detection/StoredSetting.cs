using System.Text.Json;

namespace Flywheel.Validators.Detection;

/// <summary>Reads a setting of a metric that was checked when it was stored.</summary>
static class StoredSetting
{
    public static double Number(JsonElement settings, string name, double otherwise) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.Number
            ? value.GetDouble() : otherwise;

    public static bool Flag(JsonElement settings, string name) =>
        settings.ValueKind == JsonValueKind.Object && settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
