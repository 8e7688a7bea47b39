using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Retrieval;

/// <summary>Chooses approved demonstrations for a prompt, and says why each was chosen.</summary>
public sealed class RetrievalService(DemonstrationRetriever retriever, NodePolicies policies)
{
    /// <exception cref="RequestException">
    /// <c>invalid_node</c> unless either a node or a metric is named, <c>invalid_strategy</c>, <c>invalid_k</c>.
    /// </exception>
    public async Task<RetrievalAnswer> SearchAsync(Caller caller, RetrievalRequest request, CancellationToken ct)
    {
        if (request.Node is null == request.Metric is null)
            throw RequestException.BadField("node", "Give either `node` (a task prompt) or `metric` (a judge's prompt).");
        var policy = Override(
            request.Node is null ? RetrievalPolicy.ForJudge : await policies.ForNodeAsync(caller.Project, request.Node, ct),
            request.Strategy, request.K);
        var result = await retriever.SearchAsync(
            caller.Project, request.Node is null ? DemonstrationPurpose.Judge : DemonstrationPurpose.Task, request.Node ?? request.Metric!,
            request.Input, policy, ct);
        return new(result, policy, retriever.Embedder.Fingerprint);
    }

    static RetrievalPolicy Override(RetrievalPolicy policy, string? strategy, int? k)
    {
        try
        {
            return RetrievalPolicies.Override(policy, strategy, k);
        }
        catch (FlywheelException e)
        {
            var isStrategy = strategy is not null && RetrievalStrategies.Parse(strategy) is null;
            throw RequestException.BadField(isStrategy ? "strategy" : "k", e.Message);
        }
    }
}
