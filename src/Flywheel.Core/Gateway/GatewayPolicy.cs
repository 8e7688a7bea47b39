using Flywheel.Core.Projects;

namespace Flywheel.Core.Gateway;

/// <summary>What holds for a node's calls through the gateway.</summary>
/// <param name="Settings">JSON object with the settings that differ from the defaults.</param>
public sealed record GatewayPolicy(ProjectId Project, string Node, string Settings, string Author, DateTimeOffset UpdatedAt);

public interface IGatewayPolicyStore
{
    /// <summary>Null when the node runs under the defaults.</summary>
    Task<GatewayPolicy?> FindAsync(ProjectId project, string node, CancellationToken ct);

    /// <summary>By node.</summary>
    Task<IReadOnlyList<GatewayPolicy>> ListAsync(ProjectId project, CancellationToken ct);

    /// <summary>Sets the node's policy, with an audit entry.</summary>
    Task SetAsync(GatewayPolicy policy, CancellationToken ct);
}
