using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Evaluation;

/// <summary>The metrics of an evaluation: those of a file, of a pack or of a project.</summary>
public sealed class EvalMetricSets(IMetricStore metrics, ValidatorRegistry registry)
{
    const string Author = "eval";
    const string All = "all";

    readonly MetricRules _rules = new(registry);

    /// <param name="source">Where they come from, for messages.</param>
    /// <exception cref="RequestException"><c>invalid_metrics</c>.</exception>
    public IReadOnlyList<EvalMetric> Of(IReadOnlyList<MetricDefinition> definitions, string source) => Of(
        [.. definitions.Select((each, i) =>
        {
            try
            {
                return _rules.Read(each, null, Author);
            }
            catch (RequestException e)
            {
                throw Wrong($"{source}, metric {i + 1}: {e.Message}");
            }
        })], source);

    /// <param name="set">Name of a pack; or names of metrics of the project with commas between, or <c>all</c> for its active ones.</param>
    /// <exception cref="RequestException"><c>invalid_metrics</c>.</exception>
    public async Task<IReadOnlyList<EvalMetric>> FindAsync(Caller caller, string set, CancellationToken ct) =>
        // A pack's name means the pack, unless the project has a metric of that name.
        MetricPack.Find(set) is { } pack && await metrics.FindAsync(caller.Project, set, ct) is null
            ? OfPack(pack)
            : await OfProjectAsync(caller, set, ct);

    /// <summary>The metrics of a pack that are code and need no settings.</summary>
    IReadOnlyList<EvalMetric> OfPack(MetricPack pack) => Of(
        [.. pack.Metrics.Where(each => each.Needs is null).Select(each => _rules.Read(each.Metric, null, Author))
            .Where(metric => !registry.Get(metric.Validator.Kind).CallsModel)],
        "pack " + pack.Name);

    async Task<IReadOnlyList<EvalMetric>> OfProjectAsync(Caller caller, string names, CancellationToken ct)
    {
        var known = await metrics.ListAsync(caller.Project, ct);
        var wanted = names == All
            ? known.Where(metric => metric.State == MetricState.Active).ToArray()
            : names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(name => known.FirstOrDefault(metric => metric.Name == name)
                    ?? throw Wrong($"There is no metric `{name}` in this project, no pack of that name ({MetricPack.Names}), and no such "
                    + "file. "
                        + $"The project has {(known.Count == 0 ? "none" : string.Join(", ", known.Select(metric => metric.Name)))}."))
                .ToArray();
        return wanted.Length == 0
            ? throw Wrong("The project has no active metric.")
            : Of([.. wanted.Select(Definition)], "the project", caller.Project);
    }

    static NewMetric Definition(Metric metric) => new(
        metric.Name, metric.Criterion, metric.Subject, metric.Nodes, metric.Kinds, metric.Sampling, metric.Validator, metric.Author,
        metric.Role,
        metric.State, Segments: metric.Segments, LabelsPerItem: metric.LabelsPerItem);

    IReadOnlyList<EvalMetric> Of(IReadOnlyList<NewMetric> set, string source, ProjectId? project = null)
    {
        if (set.GroupBy(metric => metric.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw Wrong($"{source}: two metrics are named `{twice.Key}`.");
        try
        {
            return [.. set.Select(metric => EvalMetric.Of(metric, registry, project))];
        }
        catch (ValidatorSettingsException e)
        {
            throw Wrong($"{source}: {e.Message}");
        }
    }

    /// <summary>What decides the outcomes: of two sets with one fingerprint, each row gets the same.</summary>
    public static string Fingerprint(IReadOnlyList<EvalMetric> metrics, EvalFields fields) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        Json(metrics) + "\n" + string.Join("\n", metrics.Select(metric => metric.Validator.Version)) + "\n"
            + JsonSerializer.Serialize(fields))));

    public static string Json(IReadOnlyList<EvalMetric> metrics) => JsonSerializer.Serialize(metrics.Select(each => each.Metric));

    static RequestException Wrong(string message) => RequestException.BadField("metrics", message);
}
