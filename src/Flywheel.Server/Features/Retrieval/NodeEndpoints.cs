using Flywheel.Core.Projects;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Retrieval;

/// <param name="Retrieval">What was set for this node; empty under the defaults.</param>
public sealed record NodePolicyView(
    string Node, RetrievalSettings Retrieval, RetrievalSettings InForce, string? Author, DateTimeOffset? UpdatedAt)
{
    public static NodePolicyView Of(NodePolicyInForce it) => new(it.Node, it.Own, it.InForce, it.Author, it.UpdatedAt);
}

public sealed record NodePolicyBody(RetrievalSettings Retrieval, string? Author = null);

static class NodeEndpoints
{
    public static void MapNodes(this IEndpointRouteBuilder api)
    {
        var nodes = api.MapGroup("/nodes").WithTags("Nodes");
        nodes.MapGet("/{node}/policy", GetAsync).Needs(KeyScope.Read).WithSummary("How a node's demonstrations are chosen");
        nodes.MapPut("/{node}/policy", PutAsync).Needs(KeyScope.Admin).WithSummary("Choose a node's retrieval strategy and weights");
    }

    static async Task<Ok<NodePolicyView>> GetAsync(string node, HttpCaller caller, NodePolicyService policies, CancellationToken ct) =>
        TypedResults.Ok(NodePolicyView.Of(await policies.GetAsync(caller, node, ct)));

    static async Task<Ok<NodePolicyView>> PutAsync(
        string node, Body<NodePolicyBody> body, HttpCaller caller, NodePolicyService policies, CancellationToken ct) =>
        TypedResults.Ok(NodePolicyView.Of(await policies.SetAsync(caller.For(body.Value.Author), node, body.Value.Retrieval, ct)));
}
