using System.Text.Json;
using System.Text.Json.Nodes;

namespace Flywheel.Engine.Metrics;

/// <summary>A metric of a pack.</summary>
/// <param name="Needs">Settings of its validator that only the user can give, each with what it is; null when it works as it is.</param>
public sealed record PackMetric(MetricDefinition Metric, IReadOnlyDictionary<string, string>? Needs = null)
{
    public string Name => Metric.Name!;

    /// <summary>The metric for some nodes, with the user's settings in its validator.</summary>
    /// <param name="given">Settings by name; null for none.</param>
    /// <returns>The metric; or why it is left out: the settings that it needs and that are not given.</returns>
    public (MetricDefinition? Metric, string? Reason) With(IReadOnlyList<string>? nodes, IReadOnlyDictionary<string, JsonElement>? given)
    {
        var missing = Needs?.Where(need => given?.ContainsKey(need.Key) != true).Select(need => $"`{need.Key}`: {need.Value}").ToArray()
            ?? [];
        if (missing.Length > 0)
            return (null, $"needs {string.Join("; ", missing)}");
        var validator = JsonNode.Parse(Metric.Validator.GetRawText())!.AsObject();
        foreach (var (name, value) in given ?? new Dictionary<string, JsonElement>())
            validator[name] = JsonNode.Parse(value.GetRawText());
        return (Metric with { Nodes = nodes ?? Metric.Nodes, Validator = JsonSerializer.SerializeToElement(validator) }, null);
    }
}
