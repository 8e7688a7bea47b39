using Flywheel.Core.Projects;

namespace Flywheel.Core.Retrieval;

/// <summary>What someone decided for one node of a project.</summary>
/// <param name="Retrieval">JSON object with the retrieval settings that differ from the defaults.</param>
public sealed record NodePolicy(ProjectId Project, string Node, string Retrieval, string Author, DateTimeOffset UpdatedAt);

public interface INodePolicyStore
{
    /// <summary>Null when the node runs under the defaults.</summary>
    Task<NodePolicy?> FindAsync(ProjectId project, string node, CancellationToken ct);

    Task<IReadOnlyList<NodePolicy>> ListAsync(ProjectId project, CancellationToken ct);

    /// <summary>Sets the node's policy, with an audit entry.</summary>
    Task SetAsync(NodePolicy policy, CancellationToken ct);
}
