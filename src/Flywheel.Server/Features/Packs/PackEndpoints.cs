using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Packs;

/// <param name="Needs">Settings that activation must be given, each with what it is; null when there are none.</param>
public sealed record PackMetricView(string Name, string Criterion, JsonElement Validator, IReadOnlyDictionary<string, string>? Needs);

public sealed record PackView(string Name, string Summary, IReadOnlyList<PackMetricView> Metrics)
{
    public static PackView Of(MetricPack pack) => new(
        pack.Name, pack.Summary, [.. pack.Metrics.Select(each => new PackMetricView(each.Metric.Name!, each.Metric.Criterion, each.Metric.Validator, each.Needs))]);
}

public sealed record PackList(IReadOnlyList<PackView> Packs);

/// <param name="Last">Newest spans to look at, 1 to 2,000.</param>
/// <param name="AskModels">Model calls that this preview may make, 0 to 50; 0 only estimates their cost.</param>
public sealed record PackPreviewBody(
    int Last = 200, IReadOnlyList<string>? Nodes = null, IReadOnlyDictionary<string, IReadOnlyDictionary<string, JsonElement>>? Settings = null,
    int AskModels = 0);

/// <param name="NotPreviewed">Metrics that need settings, with what they need.</param>
public sealed record PackPreview(string Pack, int Spans, double EstimatedUsd, IReadOnlyList<PreviewView> Metrics, IReadOnlyList<ActivatedMetric> NotPreviewed);

public sealed record PackActivated(string Pack, IReadOnlyList<ActivatedMetric> Metrics);

static class PackEndpoints
{
    public static void MapPacks(this IEndpointRouteBuilder api)
    {
        var packs = api.MapGroup("/packs").WithTags("Packs");
        packs.MapGet("/", List).Needs(KeyScope.Read).WithSummary("Metric packs by kind of node");
        packs.MapPost("/{name}/preview", PreviewAsync).Needs(KeyScope.Admin).WithSummary("What a pack would have said of the newest spans");
        packs.MapPost("/{name}/activate", ActivateAsync).Needs(KeyScope.Admin).WithSummary("Switch a pack's metrics on; again has no second effect");
    }

    static Ok<PackList> List(HttpCaller caller) => TypedResults.Ok(new PackList([.. MetricPack.All.Select(PackView.Of)]));

    static async Task<Ok<PackPreview>> PreviewAsync(
        string name, Body<PackPreviewBody> body, HttpCaller caller, IFlywheelStore store, MetricPreview preview, MetricRules rules, CancellationToken ct) =>
        TypedResults.Ok(await TryAsync(Find(name), body.Value, caller.Project, caller.Actor, store, preview, rules, ct));

    internal static async Task<PackPreview> TryAsync(
        MetricPack pack, PackPreviewBody body, ProjectId project, string actor, IFlywheelStore store, MetricPreview preview, MetricRules rules, CancellationToken ct)
    {
        PackActivation.Check(pack, new(Settings: body.Settings));
        var spans = await store.Spans.NewestAsync(project, body.Nodes, PreviewEndpoints.Last(body.Last), ct);
        var (results, not) = (new List<PreviewView>(), new List<ActivatedMetric>());
        foreach (var own in pack.Metrics)
        {
            var (metric, missing) = own.With(body.Nodes, body.Settings?.GetValueOrDefault(own.Metric.Name!));
            if (metric is null)
                not.Add(new(own.Metric.Name!, "left_out", $"needs {string.Join("; ", missing.Select(each => $"`{each}`: {own.Needs![each]}"))}"));
            else
                results.Add(PreviewView.Of(await preview.OfAsync(
                    project, MetricEndpoints.Read(metric, metric.Name, actor, rules), spans, PreviewEndpoints.AskModels(body.AskModels), ct)));
        }
        return new(pack.Name, spans.Count, results.Sum(each => each.EstimatedUsd), results, not);
    }

    static async Task<Ok<PackActivated>> ActivateAsync(
        string name, Body<ActivateBody> body, HttpCaller caller, PackActivation activation, CancellationToken ct)
    {
        var pack = Find(name);
        return TypedResults.Ok(new PackActivated(name, await activation.ActivateAsync(caller.Project, pack, body.Value, body.Value.Author ?? caller.Actor, ct)));
    }

    static MetricPack Find(string name) => MetricPack.Find(name)
        ?? throw RequestException.NotFound("pack", $"There is no pack `{name}`: there are {MetricPack.Names}.");
}
