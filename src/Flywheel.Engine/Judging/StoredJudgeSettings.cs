using System.Text.Json;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <summary>Single settings of a judge, which were checked when the metric was stored.</summary>
static class StoredJudgeSettings
{
    /// <returns>Null if the setting is left out.</returns>
    public static string? Text(Metric metric, string setting) =>
        Find(metric, setting) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    /// <returns>Null if the setting is left out.</returns>
    public static int? Number(Metric metric, string setting) =>
        Find(metric, setting) is { ValueKind: JsonValueKind.Number } value ? value.GetInt32() : null;

    static JsonElement? Find(Metric metric, string setting) =>
        metric.Validator.Settings is { ValueKind: JsonValueKind.Object } settings && settings.TryGetProperty(setting, out var value)
            ? value : null;
}
