using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Retrieval;

/// <param name="Retrieval">What was set for this node; empty under the defaults.</param>
public sealed record NodePolicyView(string Node, RetrievalSettings Retrieval, RetrievalSettings InForce, string? Author, DateTimeOffset? UpdatedAt);

public sealed record NodePolicyBody(RetrievalSettings Retrieval, string? Author = null);

static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("/{node}/policy", GetAsync).Needs(KeyScope.Read).WithSummary("How a node's demonstrations are chosen");
        nodes.MapPut("/{node}/policy", PutAsync).Needs(KeyScope.Admin).WithSummary("Choose a node's retrieval strategy and weights");
    }

    static async Task<Ok<NodePolicyView>> GetAsync(string node, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(View(node, await store.NodePolicies.FindAsync(caller.Project, node, ct)));

    static async Task<Ok<NodePolicyView>> PutAsync(
        string node, Body<NodePolicyBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        if (SpanRules.Name(node, SpanRules.MaxNameLength) is { } why)
            throw RequestException.BadField("node", $"`node` {why}");
        try
        {
            RetrievalPolicies.From(body.Value.Retrieval);
        }
        catch (FlywheelException e)
        {
            throw RequestException.BadField("retrieval", e.Message);
        }
        var policy = new NodePolicy(
            caller.Project, node, RetrievalPolicies.Write(body.Value.Retrieval), body.Value.Author ?? caller.Actor, clock.GetUtcNow());
        await store.NodePolicies.SetAsync(policy, ct);
        return TypedResults.Ok(View(node, policy));
    }

    static NodePolicyView View(string node, NodePolicy? set)
    {
        var own = set is null ? new RetrievalSettings() : RetrievalPolicies.ReadSettings(set.Retrieval);
        return new NodePolicyView(node, own, RetrievalPolicies.Describe(RetrievalPolicies.From(own)), set?.Author, set?.UpdatedAt);
    }
}
