using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Packs;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;

namespace Flywheel.Server.Cli.Eval;

/// <summary>The metrics of an evaluation.</summary>
static class MetricSet
{
    const string Author = "eval";

    /// <summary>From a JSON file: a metric as POST /api/v1/metrics takes it, a list of them, or <c>{"metrics": [...]}</c>.</summary>
    public static IReadOnlyList<EvalMetric> OfFile(string path, ValidatorRegistry registry)
    {
        JsonElement json;
        try
        {
            json = JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(path), Body.Options);
        }
        catch (JsonException e)
        {
            throw new UsageException($"{path} is no JSON: {e.Message.Split(" Path:")[0]}");
        }
        if (json.ValueKind == JsonValueKind.Object && json.TryGetProperty("metrics", out var inner))
            json = inner;
        JsonElement[] items = json.ValueKind == JsonValueKind.Array ? [.. json.EnumerateArray()] : [json];
        if (items.Length == 0)
            throw new UsageException($"{path} holds no metric.");
        return Of([.. items.Select((item, i) => Read(item, $"{path}, metric {i + 1}", registry))], registry, path);
    }

    /// <summary>The metrics of a pack that are code and need no settings.</summary>
    public static IReadOnlyList<EvalMetric> OfPack(MetricPack pack, ValidatorRegistry registry) => Of(
        [.. pack.Metrics.Where(each => each.Needs is null).Select(each => new MetricRules(registry).Read(each.Metric, null, Author))
            .Where(metric => !registry.Get(metric.Validator.Kind).CallsModel)],
        registry, "pack " + pack.Name);

    /// <summary>From a project: names with commas between, or <c>all</c> for the active ones.</summary>
    public static async Task<IReadOnlyList<EvalMetric>> OfProjectAsync(
        IFlywheelStore store, Project project, string names, ValidatorRegistry registry, CancellationToken ct)
    {
        var known = await store.Metrics.ListAsync(project.Id, ct);
        var wanted = names == "all"
            ? known.Where(metric => metric.State == MetricState.Active).ToArray()
            : names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(name => known.FirstOrDefault(metric => metric.Name == name)
                    ?? throw new UsageException(
                        $"There is no metric `{name}` in project `{project.Name}`. It has {(known.Count == 0 ? "none" : string.Join(", ", known.Select(metric => metric.Name)))}."))
                .ToArray();
        if (wanted.Length == 0)
            throw new UsageException($"Project `{project.Name}` has no active metric.");
        return Of(
            [.. wanted.Select(metric => new NewMetric(
                metric.Name, metric.Criterion, metric.Subject, metric.Nodes, metric.Kinds, metric.Sampling, metric.Validator, metric.Author,
                metric.Role, metric.State, Segments: metric.Segments, LabelsPerItem: metric.LabelsPerItem))],
            registry, $"project {project.Name}", project.Id);
    }

    public static IReadOnlyList<EvalMetric> Of(
        IReadOnlyList<NewMetric> metrics, ValidatorRegistry registry, string source, ProjectId? project = null)
    {
        if (metrics.GroupBy(metric => metric.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new UsageException($"{source}: two metrics are named `{twice.Key}`.");
        try
        {
            return [.. metrics.Select(metric => EvalMetric.Of(metric, registry, project))];
        }
        catch (ValidatorSettingsException e)
        {
            throw new UsageException($"{source}: {e.Message}");
        }
    }

    /// <summary>What decides the outcomes: of two sets with one fingerprint, each row gets the same.</summary>
    public static string Fingerprint(IReadOnlyList<EvalMetric> metrics, EvalFields fields)
    {
        var versions = string.Join("\n", metrics.Select(metric => metric.Validator.Version));
        var all = $"{Json(metrics)}\n{versions}\n{JsonSerializer.Serialize(fields)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }

    public static string Json(IReadOnlyList<EvalMetric> metrics) => JsonSerializer.Serialize(metrics.Select(each => each.Metric));

    static NewMetric Read(JsonElement item, string place, ValidatorRegistry registry)
    {
        try
        {
            var body = item.Deserialize<MetricBody>(Body.Options)
                ?? throw new UsageException($"{place} is null: write a metric as POST /api/v1/metrics takes it.");
            return new MetricRules(registry).Read(body.Definition(), null, Author);
        }
        catch (JsonException e)
        {
            throw new UsageException(
                $"{place} cannot be read{(string.IsNullOrEmpty(e.Path) || e.Path == "$" ? "" : $" at `{e.Path.TrimStart('$').TrimStart('.')}`")}: {e.Message.Split(" Path:")[0]}");
        }
        catch (RequestException e)
        {
            throw new UsageException($"{place}: {e.Message}");
        }
    }
}
