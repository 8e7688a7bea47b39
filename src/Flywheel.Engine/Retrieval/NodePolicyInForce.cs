namespace Flywheel.Engine.Retrieval;

/// <param name="Own">What was set for this node; empty under the defaults.</param>
/// <param name="InForce">Every setting, defaults included.</param>
/// <param name="Author">Who set it; null under the defaults.</param>
public sealed record NodePolicyInForce(
    string Node, RetrievalSettings Own, RetrievalSettings InForce, string? Author, DateTimeOffset? UpdatedAt);
