using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Labeling;

/// <param name="Spans">All spans of the node in the time; <c>Scores.Cases</c> of them have a known right class.</param>
/// <param name="Note">What the numbers cannot say; null when there is nothing to add.</param>
public sealed record NodeClassification(string Node, long Spans, ClassSources Sources, Classification Scores, string? Note);

static class ClassificationEndpoints
{
    const int Enough = 20;

    public static void MapClassification(this IEndpointRouteBuilder api) =>
        api.MapGet("/nodes/{node}/classification", GetAsync).Needs(KeyScope.Read).WithTags("Nodes")
            .WithSummary("Accuracy, precision, recall, F1 and confusion of a classifier, from corrections and later feedback");

    static async Task<Ok<NodeClassification>> GetAsync(
        string node, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string feedback = "class", DateTimeOffset? since = null)
    {
        var found = await store.Classification.OfNodeAsync(caller.Project, node, feedback, since, ct);
        if (found.Spans == 0)
            throw RequestException.NotFound("node", $"Node `{node}` has no spans{(since is null ? "" : " since then")}: POST /api/v1/spans brings some.");
        var scores = Classification.Of(found.Cells);
        return TypedResults.Ok(new NodeClassification(node, found.Spans, found.Sources, scores, Note(scores, found.Sources)));
    }

    static string? Note(Classification scores, ClassSources sources)
    {
        if (scores.Cases == 0)
            return "No right class is known yet: correct or confirm outputs in review, or send feedback named `class` with the right class as its value.";
        if (scores.Cases < Enough)
            return $"Not enough cases: {scores.Cases} with a known class, about {Enough - scores.Cases} more before the numbers mean much.";
        return sources.Corrections > 0
            ? "Corrected outputs are those that people looked at, often the worst ones: unless they were drawn at random, all traffic does better than this."
            : null;
    }
}
