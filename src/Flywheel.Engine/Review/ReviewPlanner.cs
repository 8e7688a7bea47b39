using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Engine.Retrieval;

namespace Flywheel.Engine.Review;

/// <summary>Keeps the review queue stocked with the outputs whose correction would teach a node's prompt most.</summary>
public sealed class ReviewPlanner(IFlywheelStore store, DemonstrationRetriever retriever, TimeProvider clock)
{
    /// <summary>Newest spans of a node that are looked at; what is older has had its chance.</summary>
    const int Candidates = 5_000;

    /// <summary>Open picks that a node's queue is kept at while the server runs.</summary>
    const int Stock = 25;

    /// <summary>Which candidates stand for the traffic when there are many: the same ones for the same candidates.</summary>
    const int Seed = 1;

    static readonly NodeKind[] Taught = [NodeKind.Classifier, NodeKind.Writer, NodeKind.Codegen];

    /// <summary>Tops up every node whose prompt takes demonstrations.</summary>
    /// <returns>How many items were picked.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var picked = 0;
        foreach (var project in await store.Projects.ListAsync(ct))
            foreach (var (node, kind) in await store.Spans.NodesAsync(project.Id, ct))
                if (Taught.Contains(kind))
                    picked += await PlanAsync(project.Id, node, Stock, ct);
        return picked;
    }

    /// <summary>Tops the node's open picks up to a number.</summary>
    /// <returns>How many were added.</returns>
    public async Task<int> PlanAsync(ProjectId project, string node, int stock, CancellationToken ct)
    {
        var open = await store.Review.ListAsync(project, new ReviewFilter(node, Reason: ReviewReason.Informative, Limit: stock), ct);
        var wanted = stock - open.Items.Count;
        if (wanted <= 0)
            return 0;
        var waiting = open.Items.Select(item => item.Span).ToHashSet();
        var spans = (await store.Spans.UnreviewedAsync(project, node, Candidates, ct))
            .Where(span => !waiting.Contains(span.Id) && span.Content is { Output: not null, Input.Length: > 0 })
            .ToArray();
        if (spans.Length == 0)
            return 0;
        var index = await retriever.IndexAsync(project, DemonstrationPurpose.Task, node, ct);
        var vectors = await retriever.Embedder.EmbedDocumentsAsync([.. spans.Select(span => span.Content.Input!)], ct);
        var candidates = new ReviewCandidate[spans.Length];
        for (var i = 0; i < spans.Length; i++)
            candidates[i] = new ReviewCandidate(
                new Guid(i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]), vectors[i],
                index is { Count: > 0 } ? await retriever.Embedder.EmbedQueryAsync(spans[i].Content.Input!, index.Lexicon, ct) : null);
        var at = candidates.Select((candidate, i) => (candidate.Id, i)).ToDictionary(each => each.Id, each => each.i);
        var choices = ReviewSelection.Choose(candidates, index, wanted, Seed, ct);
        await store.Review.AddPicksAsync(
            project,
            [.. choices.Select(choice => new ReviewPick(
                spans[at[choice.Id]].Id, null, ReviewReason.Informative, choice.Why,
                choice.Score, null))],
            clock.GetUtcNow(), ct);
        return choices.Count;
    }
}
