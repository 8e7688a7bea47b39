using Flywheel.Core;
using Flywheel.Core.Gateway;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Server.Api;
using Flywheel.Server.Gateway.Upstreams;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Gateway.Policy;

/// <param name="Settings">What was set for this node; empty under the defaults.</param>
public sealed record GatewayPolicyView(string Node, GatewaySettings Settings, GatewaySettings InForce, string? Author, DateTimeOffset? UpdatedAt);

public sealed record GatewayPolicyBody(GatewaySettings Settings, string? Author = null);

static class GatewayPolicyEndpoints
{
    public static void MapGatewayPolicies(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("/{node}/gateway", GetAsync).Needs(KeyScope.Read).WithSummary("What holds for a node's calls through the gateway");
        nodes.MapPut("/{node}/gateway", PutAsync).Needs(KeyScope.Admin).WithSummary("Set a node's guards, demonstrations, fallbacks, timeouts, retries and cache");
    }

    static async Task<Ok<GatewayPolicyView>> GetAsync(string node, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(View(node, await store.GatewayPolicies.FindAsync(caller.Project, node, ct)));

    static async Task<Ok<GatewayPolicyView>> PutAsync(
        string node, Body<GatewayPolicyBody> body, HttpCaller caller, IFlywheelStore store, ModelRoutes routes, TimeProvider clock, CancellationToken ct)
    {
        if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } why)
            throw RequestException.BadField("node", $"`node` {why}");
        var settings = body.Value.Settings;
        if (settings.Wrong() is var (field, message))
            throw RequestException.BadField(field, message);
        foreach (var (name, model) in new[] { ("model", settings.Model) }.Concat((settings.Fallbacks ?? []).Select(each => ("fallbacks", (string?)each))))
            if (model is not null && routes.Find(model) is null)
                throw RequestException.BadField(name, $"`{name}` names `{model}`, which no provider has. {routes.Known}");
        if (settings.Prompt is not null)
            await Features.Prompts.PromptEndpoints.FindAsync(
                store, caller.Project, settings.Prompt,
                settings.PromptVersion?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? settings.PromptLabel ?? Core.Prompts.PromptLabel.Production, ct);
        var policy = new GatewayPolicy(caller.Project, node, settings.Write(), body.Value.Author ?? caller.Actor, clock.GetUtcNow());
        await store.GatewayPolicies.SetAsync(policy, ct);
        return TypedResults.Ok(View(node, policy));
    }

    static GatewayPolicyView View(string node, GatewayPolicy? set)
    {
        var own = set is null ? new GatewaySettings() : GatewaySettings.Parse(set.Settings);
        return new GatewayPolicyView(node, own, own.InForce(), set?.Author, set?.UpdatedAt);
    }
}
