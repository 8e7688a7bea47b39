using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

public sealed record StateBody(string State, string? Author = null);

static class MetricEndpoints
{
    public static void MapMetrics(this IEndpointRouteBuilder api)
    {
        var metrics = api.MapGroup("/metrics").WithTags("Metrics");
        metrics.MapPost("/", CreateAsync).Needs(KeyScope.Admin).WithSummary("Create a metric").ProducesProblem(400).ProducesProblem(409);
        metrics.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Metrics in their current version");
        metrics.MapGet("/{name}", GetAsync).Needs(KeyScope.Read).WithSummary("One metric");
        metrics.MapGet("/{name}/versions", VersionsAsync).Needs(KeyScope.Read).WithSummary("All versions, newest first");
        metrics.MapPost("/{name}/versions", AddVersionAsync).Needs(KeyScope.Admin).WithSummary("Put a new version in force");
        metrics.MapPost("/{name}/state", SetStateAsync).Needs(KeyScope.Admin).WithSummary("Activate or retire a metric");
        metrics.MapGet("/{name}/summary", SummaryAsync).Needs(KeyScope.Read)
            .WithSummary("Rates with intervals, and the labels and verdicts behind them");
        api.MapGet("/validators", Kinds).Needs(KeyScope.Read).WithTags("Metrics").WithSummary("Validator kinds with their settings");
    }

    static async Task<Created<MetricView>> CreateAsync(
        Body<MetricBody> body, HttpCaller caller, MetricService metrics, CancellationToken ct)
    {
        var stored = await metrics.CreateAsync(caller, body.Value.Definition(), ct);
        return TypedResults.Created($"/api/v1/metrics/{stored.Name}", MetricView.Of(stored));
    }

    static async Task<Created<MetricView>> AddVersionAsync(
        string name, Body<MetricBody> body, HttpCaller caller, MetricService metrics, CancellationToken ct)
    {
        var stored = await metrics.AddVersionAsync(caller, name, body.Value.Definition(), ct);
        return TypedResults.Created($"/api/v1/metrics/{name}", MetricView.Of(stored));
    }

    static async Task<Ok<MetricList>> ListAsync(HttpCaller caller, MetricService metrics, CancellationToken ct) =>
        TypedResults.Ok(MetricList.Of(await metrics.ListAsync(caller, null, ct)));

    static async Task<Ok<MetricView>> GetAsync(string name, HttpCaller caller, MetricService metrics, CancellationToken ct) =>
        TypedResults.Ok(MetricView.Of(await metrics.GetAsync(caller, name, ct)));

    static async Task<Ok<MetricList>> VersionsAsync(string name, HttpCaller caller, MetricService metrics, CancellationToken ct) =>
        TypedResults.Ok(MetricList.Of(await metrics.VersionsAsync(caller, name, ct)));

    static async Task<Ok<MetricView>> SetStateAsync(
        string name, Body<StateBody> body, HttpCaller caller, MetricService metrics, CancellationToken ct) =>
        TypedResults.Ok(MetricView.Of(await metrics.SetStateAsync(caller.For(body.Value.Author), name, body.Value.State, ct)));

    static async Task<Ok<MetricSummaryView>> SummaryAsync(
        string name, HttpCaller caller, MetricService metrics, CancellationToken ct,
        string? by = null, string? bucket = null, string? node = null, string? from = null, string? to = null) =>
        TypedResults.Ok(MetricSummaryView.Of(await metrics.ReadAsync(caller, name, new(by, bucket, node, from, to), ct)));

    static Ok<IReadOnlyList<ValidatorKindView>> Kinds(HttpCaller caller, ValidatorRegistry registry) =>
        TypedResults.Ok<IReadOnlyList<ValidatorKindView>>([.. registry.Kinds.Select(ValidatorKindView.Of)]);
}
