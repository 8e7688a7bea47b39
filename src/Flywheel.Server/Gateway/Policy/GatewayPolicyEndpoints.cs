using Flywheel.Core.Gateway;
using Flywheel.Core.Projects;
using Flywheel.Engine.Gateway;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Gateway.Policy;

/// <param name="Settings">What was set for this node; empty under the defaults.</param>
public sealed record GatewayPolicyView(
    string Node, GatewaySettings Settings, GatewaySettings InForce, string? Author, DateTimeOffset? UpdatedAt);

public sealed record GatewayPolicyBody(GatewaySettings Settings, string? Author = null);

static class GatewayPolicyEndpoints
{
    public static void MapGatewayPolicies(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("/{node}/gateway", GetAsync).Needs(KeyScope.Read).WithSummary("What holds for a node's calls through the gateway");
        nodes.MapPut("/{node}/gateway", PutAsync).Needs(KeyScope.Admin)
            .WithSummary("Set a node's guards, demonstrations, fallbacks, timeouts, retries and cache");
    }

    static async Task<Ok<GatewayPolicyView>> GetAsync(
        string node, HttpCaller caller, GatewayPolicyService policies, CancellationToken ct) =>
        TypedResults.Ok(View(node, await policies.FindAsync(caller, node, ct)));

    static async Task<Ok<GatewayPolicyView>> PutAsync(
        string node, Body<GatewayPolicyBody> body, HttpCaller caller, GatewayPolicyService policies, CancellationToken ct) =>
        TypedResults.Ok(View(node, await policies.SetAsync(caller.For(body.Value.Author), node, body.Value.Settings, ct)));

    static GatewayPolicyView View(string node, GatewayPolicy? set)
    {
        var own = set is null ? new GatewaySettings() : GatewaySettings.Parse(set.Settings);
        return new GatewayPolicyView(node, own, own.InForce(), set?.Author, set?.UpdatedAt);
    }
}
