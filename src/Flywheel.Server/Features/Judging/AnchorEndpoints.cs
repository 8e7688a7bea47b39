using Flywheel.Core.Projects;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

static class AnchorEndpoints
{
    public static void MapAnchors(this IEndpointRouteBuilder api)
    {
        var anchors = api.MapGroup("/metrics/{name}/anchors").WithTags("Judging");
        anchors.MapGet("/", GetAsync).Needs(KeyScope.Read)
            .WithSummary("Frozen cases of the metric's judge and their replays, newest first");
        anchors.MapPost("/", FreezeAsync).Needs(KeyScope.Admin)
            .WithSummary("Freeze blind-labelled cases with what the judge says of them now");
        anchors.MapPost("/replay", ReplayAsync).Needs(KeyScope.Admin).WithSummary("Ask the judge about the frozen cases now");
        anchors.MapDelete("/", CloseAsync).Needs(KeyScope.Admin).WithSummary("Give the frozen cases up");
    }

    static async Task<Ok<AnchorsView>> GetAsync(
        string name, HttpCaller caller, AnchorService anchors, CancellationToken ct, int limit = 50) =>
        TypedResults.Ok(AnchorsView.Of(await anchors.GetAsync(caller, name, limit, ct)));

    static async Task<Accepted<AnchorsView>> FreezeAsync(
        string name, Body<AnchorBody> body, HttpCaller caller, AnchorService anchors, CancellationToken ct) =>
        Accepted(await anchors.FreezeAsync(caller.For(body.Value.Author), name, body.Value.Size, ct));

    static async Task<Accepted<AnchorsView>> ReplayAsync(string name, HttpCaller caller, AnchorService anchors, CancellationToken ct) =>
        Accepted(await anchors.ReplayAsync(caller, name, ct));

    static async Task<NoContent> CloseAsync(
        string name, HttpCaller caller, AnchorService anchors, CancellationToken ct, string? author = null)
    {
        await anchors.CloseAsync(caller.For(author), name, ct);
        return TypedResults.NoContent();
    }

    static Accepted<AnchorsView> Accepted(MetricAnchors anchors) =>
        TypedResults.Accepted($"/api/v1/metrics/{Uri.EscapeDataString(anchors.Metric.Name)}/anchors", AnchorsView.Of(anchors));
}
