using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>Which retrieval policy a node runs under: its own where someone set one, else the default.</summary>
public sealed class NodePolicies(INodePolicyStore store)
{
    public async Task<RetrievalPolicy> ForNodeAsync(ProjectId project, string node, CancellationToken ct) =>
        await store.FindAsync(project, node, ct) is { } set ? RetrievalPolicies.Parse(set.Retrieval) : RetrievalPolicy.Default;
}
