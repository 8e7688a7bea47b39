using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Packs;

/// <summary>Previews metric packs and switches them on.</summary>
public sealed class PackService(
    IMetricStore metrics, ISpanStore spans, ValidatorRegistry registry, MetricRules rules, MetricPreview preview, TimeProvider clock)
{
    /// <summary>Says what the metrics of a pack would have said of the newest spans; nothing of it is stored.</summary>
    public async Task<PackPreview> PreviewAsync(Caller caller, string name, PackPreviewRequest request, CancellationToken ct)
    {
        var pack = MetricPack.Get(name);
        pack.Check("settings", request.Settings?.Keys);
        request.Bounds.Check();
        var newest = await spans.NewestAsync(caller.Project, request.Nodes, request.Bounds.Last, ct);
        var (results, not) = (new List<PreviewResult>(), new List<ActivatedMetric>());
        foreach (var own in pack.Metrics)
        {
            var (metric, reason) = own.With(request.Nodes, request.Settings?.GetValueOrDefault(own.Name));
            if (metric is null)
                not.Add(new(own.Name, ActivationResult.LeftOut, reason));
            else
                results.Add(await preview.OfAsync(
                    caller.Project, rules.Read(metric, null, caller.Actor), newest, request.Bounds.AskModels, ct));
        }
        return new(pack, newest.Count, results, not);
    }

    /// <summary>Switches the metrics of a pack on; a repeat has no second effect.</summary>
    public async Task<IReadOnlyList<ActivatedMetric>> ActivateAsync(
        Caller caller, string name, PackActivationRequest request, CancellationToken ct)
    {
        var pack = MetricPack.Get(name);
        pack.Check("only", request.Only);
        pack.Check("settings", request.Settings?.Keys);
        // All are read before one is stored: a wrong setting switches nothing on.
        var ready = pack.Metrics.Where(each => request.Only is null || request.Only.Contains(each.Name))
            .Select(own => (own.Name, Read: Read(caller, own, request))).ToArray();
        var results = new List<ActivatedMetric>();
        foreach (var (own, (metric, reason)) in ready)
            results.Add(metric is null
                ? new(own, ActivationResult.LeftOut, reason)
                : await ActivateAsync(caller.Project, metric, ct));
        return results;
    }

    /// <returns>The metric; or why it is left out.</returns>
    (NewMetric? Metric, string? Reason) Read(Caller caller, PackMetric own, PackActivationRequest request)
    {
        var (metric, reason) = own.With(request.Nodes, request.Settings?.GetValueOrDefault(own.Name));
        if (metric is null)
            return (null, reason);
        return !request.Judges && registry.Find(ValidatorJson.Read(metric.Validator).Kind) is { CallsModel: true }
            ? (null, "asks a model: preview its cost, then activate with `judges`: true")
            : (rules.Read(metric, null, caller.Actor), null);
    }

    async Task<ActivatedMetric> ActivateAsync(ProjectId project, NewMetric metric, CancellationToken ct)
    {
        if (await metrics.AddAsync(project, metric, expectNew: true, clock.GetUtcNow(), ct) is not null)
            return new(metric.Name, ActivationResult.Activated);
        var there = await metrics.FindAsync(project, metric.Name, ct);
        if (there is null || !IsSame(there, metric))
            return new(metric.Name, ActivationResult.Kept,
                "a metric of this name says something else: post a version to change it, or retire it");
        var nodes = there.Nodes is null || metric.Nodes is null ? null : there.Nodes.Union(metric.Nodes).ToArray();
        if ((nodes?.Length ?? 0) != (there.Nodes?.Count ?? 0))
        {
            await metrics.AddAsync(project, metric with { Nodes = nodes }, expectNew: false, clock.GetUtcNow(), ct);
            return new(metric.Name, ActivationResult.Changed);
        }
        if (there.State == MetricState.Active)
            return new(metric.Name, ActivationResult.Unchanged);
        await metrics.SetStateAsync(project, metric.Name, MetricState.Active, metric.Author, clock.GetUtcNow(), ct);
        return new(metric.Name, ActivationResult.Activated);
    }

    /// <summary>Nodes aside.</summary>
    static bool IsSame(Metric there, NewMetric metric) =>
        there.Criterion == metric.Criterion && there.Subject == metric.Subject && there.Sampling == metric.Sampling
            && there.Role == metric.Role
        && there.Validator.Kind == metric.Validator.Kind
        && StrictJson.Canonical(there.Validator.Settings) == StrictJson.Canonical(metric.Validator.Settings)
        && (there.Kinds ?? []).SequenceEqual(metric.Kinds ?? []) && (there.Segments ?? []).SequenceEqual(metric.Segments ?? [])
        && there.LabelsPerItem == metric.LabelsPerItem;
}
