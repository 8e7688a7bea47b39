using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Packs;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Packs;

static class PackEndpoints
{
    public static void MapPacks(this IEndpointRouteBuilder api)
    {
        var packs = api.MapGroup("/packs").WithTags("Packs");
        packs.MapGet("/", List).Needs(KeyScope.Read).WithSummary("Metric packs by kind of node");
        packs.MapPost("/{name}/preview", PreviewAsync).Needs(KeyScope.Admin).WithSummary("What a pack would have said of the newest spans");
        packs.MapPost("/{name}/activate", ActivateAsync).Needs(KeyScope.Admin)
            .WithSummary("Switch a pack's metrics on; again has no second effect");
    }

    static Ok<PackList> List(HttpCaller caller) => TypedResults.Ok(PackList.Of(MetricPack.All));

    static async Task<Ok<PackPreviewView>> PreviewAsync(
        string name, Body<PackPreviewBody> body, HttpCaller caller, PackService packs, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(PackPreviewView.Of(
            await packs.PreviewAsync(caller, name, new(new(it.Last, it.AskModels), it.Nodes, it.Settings), ct)));
    }

    static async Task<Ok<PackActivated>> ActivateAsync(
        string name, Body<ActivateBody> body, HttpCaller caller, PackService packs, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(PackActivated.Of(
            name, await packs.ActivateAsync(caller.For(it.Author), name, new(it.Nodes, it.Settings, it.Only, it.Judges), ct)));
    }
}
