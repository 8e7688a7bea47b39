using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;

namespace Flywheel.Server.Features.Packs;

/// <summary>A metric of a pack.</summary>
/// <param name="Metric">As POST /api/v1/metrics takes it.</param>
/// <param name="Needs">Settings of its validator that only the user can give, each with what it is; null when it works as it is.</param>
public sealed record PackMetric(MetricBody Metric, IReadOnlyDictionary<string, string>? Needs = null)
{
    /// <summary>The metric for some nodes, with the user's settings in its validator.</summary>
    /// <param name="given">Settings by name; null for none.</param>
    /// <returns>The metric, or the names of needed settings that were not given.</returns>
    public (MetricBody? Metric, IReadOnlyList<string> Missing) With(IReadOnlyList<string>? nodes, IReadOnlyDictionary<string, JsonElement>? given)
    {
        var missing = Needs?.Keys.Where(name => given?.ContainsKey(name) != true).ToArray() ?? [];
        if (missing.Length > 0)
            return (null, missing);
        var validator = JsonNode.Parse(Metric.Validator.GetRawText())!.AsObject();
        foreach (var (name, value) in given ?? new Dictionary<string, JsonElement>())
            validator[name] = JsonNode.Parse(value.GetRawText());
        return (Metric with { Nodes = nodes ?? Metric.Nodes, Validator = JsonSerializer.SerializeToElement(validator) }, []);
    }
}

/// <summary>Metrics that fit a kind of node, to be switched on in one step.</summary>
public sealed record MetricPack(string Name, string Summary, IReadOnlyList<PackMetric> Metrics)
{
    /// <summary>The packs that come with the program, by name.</summary>
    public static IReadOnlyList<MetricPack> All { get; } = [.. Load().OrderBy(pack => pack.Name, StringComparer.Ordinal)];

    public static MetricPack? Find(string name) => All.FirstOrDefault(pack => pack.Name == name);

    public static string Names => string.Join(", ", All.Select(pack => pack.Name));

    static IEnumerable<MetricPack> Load()
    {
        var assembly = typeof(MetricPack).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("packs/", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            yield return JsonSerializer.Deserialize<MetricPack>(stream, Body.Options)!;
        }
    }
}
