using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Guarding;
using Flywheel.Engine.Jobs;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Models;
using Flywheel.Engine.Retrieval;

namespace Flywheel.Engine.Loop;

/// <summary>The loop inside the application's own process: its own database, no server.</summary>
/// <param name="work">Woken when spans arrive; null when no worker runs in this process.</param>
public sealed class EmbeddedLoop(
    IFlywheelStore store, DemonstrationRetriever retriever, NodePolicies policies, InputGuard guard, ProjectId project, TimeProvider clock,
    WorkSignal? work = null) : ILoop
{
    /// <summary>The loop over a database of the application's own, for its default project; the store stays the caller's.</summary>
    /// <param name="embedder">Null for the lexical one. Must be the one with which demonstrations were embedded.</param>
    /// <param name="validators">Null for the built-in ones without judges.</param>
    public static EmbeddedLoop Over(
        IFlywheelStore store, IEmbedder? embedder = null, TimeProvider? clock = null, ValidatorRegistry? validators = null)
    {
        clock ??= TimeProvider.System;
        validators ??= ValidatorRegistry.BuiltIn(new TokenCounter());
        var guards = new ActiveGuards(store.Metrics, clock);
        store.Spans.Filter ??= new SpanRedaction(guards, validators);
        return new EmbeddedLoop(
            store, new DemonstrationRetriever(store.Demonstrations, embedder ?? new LexicalEmbedder(), clock), new NodePolicies(store.NodePolicies),
            new InputGuard(guards, validators, new PlatformFaults(), clock, store.Jobs), ProjectId.Default, clock);
    }

    public async Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct)
    {
        var policy = RetrievalPolicies.Override(await policies.ForNodeAsync(project, query.Node, ct), query.Strategy, query.K);
        var result = await retriever.SearchAsync(project, DemonstrationPurpose.Task, query.Node, query.Input, policy, ct);
        return [.. result.Chosen.Select(Chosen)];
    }

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct) => guard.CheckAsync(project, query, ct);

    public async Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var span in spans)
            if (SpanRules.Check(span, now) is { } wrong)
                throw new ArgumentException($"A span cannot be recorded: {wrong.Message}", nameof(spans));
        await store.Spans.AddAsync(project, spans, now, ct);
        work?.Set();
    }

    /// <summary>A retrieved demonstration with the reasons why it was chosen.</summary>
    public static ChosenDemonstration Chosen(RetrievedDemonstration it) => new(
        it.Id, it.Text, it.Answer, it.IsFixed, it.Parts.Score,
        [
            new("similarity", it.Parts.Similarity), new("recency", it.Parts.Recency), new("disagreement", it.Parts.Disagreement), new("support", it.Parts.Support),
            new("relevance", it.Parts.Relevance), new("coverage", it.Parts.Coverage), new("redundancy", it.Parts.Redundancy),
        ]);
}
