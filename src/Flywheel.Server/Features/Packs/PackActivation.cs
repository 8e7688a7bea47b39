using Flywheel.Core;
using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Features.Metrics;

namespace Flywheel.Server.Features.Packs;

/// <param name="Nodes">Names of nodes; left out means all nodes of the pack's kind.</param>
/// <param name="Settings">Settings by metric: <c>{"classifier.known": {"values": ["a", "b"]}}</c>.</param>
/// <param name="Only">Names of metrics; left out means all of the pack.</param>
/// <param name="Judges">Also switch on metrics that ask a model, and cost money.</param>
public sealed record ActivateBody(
    IReadOnlyList<string>? Nodes = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null,
    IReadOnlyList<string>? Only = null, bool Judges = false, string? Author = null);

/// <param name="Result"><c>activated</c>, <c>unchanged</c>, <c>changed</c> (more nodes), <c>kept</c> (yours differs) or <c>left_out</c>.</param>
/// <param name="Reason">Why it was kept or left out, and what to do; null otherwise.</param>
public sealed record ActivatedMetric(string Name, string Result, string? Reason = null);

/// <summary>Switches a pack on; again has no second effect.</summary>
sealed class PackActivation(IMetricStore store, ValidatorRegistry registry, MetricRules rules, TimeProvider clock)
{
    public async Task<IReadOnlyList<ActivatedMetric>> ActivateAsync(
        ProjectId project, MetricPack pack, ActivateBody body, string author, CancellationToken ct)
    {
        Check(pack, body);
        // All are read before one is stored: a wrong setting switches nothing on.
        var ready = new List<(PackMetric Own, NewMetric? Metric, string? Reason)>();
        foreach (var own in pack.Metrics.Where(each => body.Only is null || body.Only.Contains(each.Metric.Name!)))
        {
            var (metric, missing) = own.With(body.Nodes, body.Settings?.GetValueOrDefault(own.Metric.Name!));
            if (metric is null)
                ready.Add((own, null, $"needs {string.Join("; ", missing.Select(name => $"`{name}`: {own.Needs![name]}"))}"));
            else if (!body.Judges && registry.Find(ValidatorJson.Read(metric.Validator).Kind) is { CallsModel: true })
                ready.Add((own, null, "asks a model: preview its cost, then activate with `judges`: true"));
            else
                ready.Add((own, MetricEndpoints.Read(metric, metric.Name, author, rules), null));
        }
        var results = new List<ActivatedMetric>();
        foreach (var (own, metric, reason) in ready)
            results.Add(metric is null ? new(own.Metric.Name!, "left_out", reason) : await ActivateAsync(project, metric, ct));
        return results;
    }

    async Task<ActivatedMetric> ActivateAsync(ProjectId project, NewMetric metric, CancellationToken ct)
    {
        if (await store.AddAsync(project, metric, expectNew: true, clock.GetUtcNow(), ct) is not null)
            return new(metric.Name, "activated");
        var there = await store.FindAsync(project, metric.Name, ct);
        if (there is null || !IsSame(there, metric))
            return new(metric.Name, "kept", "a metric of this name says something else: post a version to change it, or retire it");
        var nodes = there.Nodes is null || metric.Nodes is null ? null : there.Nodes.Union(metric.Nodes).ToArray();
        if ((nodes?.Length ?? 0) != (there.Nodes?.Count ?? 0))
        {
            await store.AddAsync(project, metric with { Nodes = nodes }, expectNew: false, clock.GetUtcNow(), ct);
            return new(metric.Name, "changed");
        }
        if (there.State == MetricState.Active)
            return new(metric.Name, "unchanged");
        await store.SetStateAsync(project, metric.Name, MetricState.Active, metric.Author, clock.GetUtcNow(), ct);
        return new(metric.Name, "activated");
    }

    /// <summary>Nodes aside.</summary>
    static bool IsSame(Metric there, NewMetric metric) =>
        there.Criterion == metric.Criterion && there.Subject == metric.Subject && there.Sampling == metric.Sampling && there.Role == metric.Role
        && there.Validator.Kind == metric.Validator.Kind && StrictJson.Canonical(there.Validator.Settings) == StrictJson.Canonical(metric.Validator.Settings)
        && (there.Kinds ?? []).SequenceEqual(metric.Kinds ?? []) && (there.Segments ?? []).SequenceEqual(metric.Segments ?? [])
        && there.LabelsPerItem == metric.LabelsPerItem;

    internal static void Check(MetricPack pack, ActivateBody body)
    {
        foreach (var name in (body.Only ?? []).Concat(body.Settings?.Keys ?? []))
            if (pack.Metrics.All(each => each.Metric.Name != name))
                throw RequestException.BadField(
                    body.Only?.Contains(name) == true ? "only" : "settings",
                    $"Pack `{pack.Name}` has no metric `{name}`, only {string.Join(", ", pack.Metrics.Select(each => each.Metric.Name))}.");
    }
}
