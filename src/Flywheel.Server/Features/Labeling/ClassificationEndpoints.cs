using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Labeling;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Labeling;

/// <param name="Spans">All spans of the node in the time; <c>Scores.Cases</c> of them have a known right class.</param>
/// <param name="Note">What the numbers cannot say; null when there is nothing to add.</param>
public sealed record NodeClassification(string Node, long Spans, ClassSources Sources, Classification Scores, string? Note);

static class ClassificationEndpoints
{
    public static void MapClassification(this IEndpointRouteBuilder api) =>
        api.MapGet("/nodes/{node}/classification", GetAsync).Needs(KeyScope.Read).WithTags("Nodes")
            .WithSummary("Accuracy, precision, recall, F1 and confusion of a classifier, from corrections and later feedback");

    static async Task<Ok<NodeClassification>> GetAsync(
        string node, HttpCaller caller, ClassificationService classification, CancellationToken ct, string feedback = "class",
        DateTimeOffset? since = null)
    {
        var it = await classification.OfNodeAsync(caller, node, feedback, since, ct);
        return TypedResults.Ok(new NodeClassification(it.Node, it.Spans, it.Sources, it.Scores, it.Note));
    }
}
