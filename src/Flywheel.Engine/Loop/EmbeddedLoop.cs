using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Retrieval;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Loop;

/// <summary>The loop inside the application's own process: its own database, no server. Works on the default project.</summary>
public sealed class EmbeddedLoop(SpanIntake intake, DemonstrationRetriever retriever, NodePolicies policies, InputGuard guard) : ILoop
{
    static readonly ProjectId Project = ProjectId.Default;

    public async Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct)
    {
        var policy = RetrievalPolicies.Override(await policies.ForNodeAsync(Project, query.Node, ct), query.Strategy, query.K);
        var result = await retriever.SearchAsync(Project, DemonstrationPurpose.Task, query.Node, query.Input, policy, ct);
        return [.. result.Chosen.Select(Chosen)];
    }

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => guard.CheckAsync(Project, query, ct);

    /// <exception cref="SpansRejectedException">The good spans were kept; these were refused, or conflict with spans that are
    /// there.</exception>
    public async Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        var results = await intake.AddAsync(Project, spans, ct);
        List<RejectedSpan>? rejected = null;
        for (var i = 0; i < results.Count; i++)
            if (results[i].Refusal is { } refusal)
                (rejected ??= []).Add(new(spans[i], refusal.Code, refusal.Message));
        if (rejected is not null)
            throw new SpansRejectedException(rejected);
    }

    /// <summary>A retrieved demonstration with the reasons why it was chosen.</summary>
    public static ChosenDemonstration Chosen(RetrievedDemonstration it) => new(
        it.Id, it.Text, it.Answer, it.IsFixed, it.Parts.Score,
        [
            new("similarity", it.Parts.Similarity), new("recency", it.Parts.Recency), new("disagreement", it.Parts.Disagreement),
            new("support", it.Parts.Support),
            new("relevance", it.Parts.Relevance), new("coverage", it.Parts.Coverage), new("redundancy", it.Parts.Redundancy),
        ]);
}
