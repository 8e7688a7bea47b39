using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>How the demonstrations of a node are chosen: a person reads it and sets it.</summary>
public sealed class NodePolicyService(INodePolicyStore policies, TimeProvider clock)
{
    public async Task<NodePolicyInForce> GetAsync(Caller caller, string node, CancellationToken ct) =>
        InForce(node, await policies.FindAsync(caller.Project, node, ct));

    /// <exception cref="RequestException"><c>invalid_node</c>, <c>invalid_retrieval</c>.</exception>
    public async Task<NodePolicyInForce> SetAsync(Caller caller, string node, RetrievalSettings settings, CancellationToken ct)
    {
        RequestField.Name("node", node);
        Check(settings);
        var policy = new NodePolicy(caller.Project, node, RetrievalPolicies.Write(settings), caller.Actor, clock.GetUtcNow());
        await policies.SetAsync(policy, ct);
        return InForce(node, policy);
    }

    static void Check(RetrievalSettings settings)
    {
        try
        {
            RetrievalPolicies.From(settings);
        }
        catch (FlywheelException e)
        {
            throw RequestException.BadField("retrieval", e.Message);
        }
    }

    static NodePolicyInForce InForce(string node, NodePolicy? set)
    {
        var own = set is null ? new RetrievalSettings() : RetrievalPolicies.ReadSettings(set.Retrieval);
        return new(node, own, RetrievalPolicies.Describe(RetrievalPolicies.From(own)), set?.Author, set?.UpdatedAt);
    }
}
