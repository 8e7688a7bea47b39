using System.Text.Json;
using Flywheel.Core;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;

namespace Flywheel.Server.Cli.Eval;

/// <summary>A JSON file of metrics: a metric as POST /api/v1/metrics takes it, a list of them, or <c>{"metrics": [...]}</c>.</summary>
static class MetricFile
{
    /// <exception cref="RequestException">It holds no metric, or one that cannot be read.</exception>
    public static IReadOnlyList<MetricDefinition> Read(string path)
    {
        JsonElement json;
        try
        {
            json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(path), Body.Options);
        }
        catch (JsonException e)
        {
            throw Wrong($"{path} is no JSON: {e.Message.Split(" Path:")[0]}");
        }
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("metrics", out var inner))
            json = inner;
        JsonElement[] items = json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray()] : [json];
        return items.Length == 0
            ? throw Wrong($"{path} holds no metric.")
            : [.. items.Select((item, i) => Read(item, $"{path}, metric {i + 1}"))];
    }

    static MetricDefinition Read(JsonElement item, string place)
    {
        try
        {
            return item.Deserialize<MetricBody>(Body.Options)?.Definition()
                ?? throw Wrong($"{place} is null: write a metric as POST /api/v1/metrics takes it.");
        }
        catch (JsonException e)
        {
            throw Wrong($"{place} cannot be read{(string.IsNullOrEmpty(e.Path) || e.Path == "$" ? "" : $" at `{e.Path.TrimStart('$').TrimStart('.')}`")}: {e.Message.Split(" Path:")[0]}");
        }
    }

    static RequestException Wrong(string message) => RequestException.BadField("metrics", message);
}
