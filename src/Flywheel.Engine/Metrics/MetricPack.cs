using System.Text.Json;
using System.Text.Json.Serialization;
using Flywheel.Core;

namespace Flywheel.Engine.Metrics;

/// <summary>Metrics that fit a kind of node, to be switched on in one step.</summary>
public sealed record MetricPack(string Name, string Summary, IReadOnlyList<PackMetric> Metrics)
{
    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        AllowDuplicateProperties = false,
    };

    /// <summary>The packs that come with the program, by name.</summary>
    public static IReadOnlyList<MetricPack> All { get; } = [.. Load().OrderBy(pack => pack.Name, StringComparer.Ordinal)];

    public static string Names => string.Join(", ", All.Select(pack => pack.Name));

    public static MetricPack? Find(string name) => All.FirstOrDefault(pack => pack.Name == name);

    /// <exception cref="RequestException">There is no such pack.</exception>
    public static MetricPack Get(string name) => Find(name)
        ?? throw RequestException.NotFound("pack", $"There is no pack `{name}`: there are {Names}.");

    /// <summary>Refuses names of metrics that the pack does not hold.</summary>
    /// <param name="field">The field of the request that names them.</param>
    internal void Check(string field, IEnumerable<string>? names)
    {
        foreach (var name in names ?? [])
            if (Metrics.All(each => each.Name != name))
                throw RequestException.BadField(
                    field, $"Pack `{Name}` has no metric `{name}`, only {string.Join(", ", Metrics.Select(each => each.Name))}.");
    }

    static IEnumerable<MetricPack> Load()
    {
        var assembly = typeof(MetricPack).Assembly;
        foreach (var resource in assembly.GetManifestResourceNames().Where(name => name.StartsWith("packs/", StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            yield return JsonSerializer.Deserialize<MetricPack>(stream, Json)!;
        }
    }
}
