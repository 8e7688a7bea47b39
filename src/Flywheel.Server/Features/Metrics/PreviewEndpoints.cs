using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;
using Flywheel.Engine.Jobs;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

static class PreviewEndpoints
{
    public static void MapPreviews(this IEndpointRouteBuilder api)
    {
        var metrics = api.MapGroup("/metrics").WithTags("Metrics");
        metrics.MapPost("/preview", PreviewAsync).Needs(KeyScope.Admin)
            .WithSummary("What a metric would have said of the newest spans, and what it would cost");
        metrics.MapPost("/{name}/backfill", BackfillAsync).Needs(KeyScope.Admin)
            .WithSummary("Check past spans too; again has no second effect");
        metrics.MapGet("/{name}/backfill", ProgressAsync).Needs(KeyScope.Read).WithSummary("How far a metric's back-fill is");
    }

    static async Task<Ok<PreviewView>> PreviewAsync(
        Body<PreviewBody> body, HttpCaller caller, PreviewService previews, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(PreviewView.Of(
            await previews.PreviewAsync(caller, it.Metric.Definition(), it.Nodes, new(it.Last, it.AskModels), ct)));
    }

    static async Task<Ok<BackfillView>> BackfillAsync(
        string name, Body<BackfillBody> body, HttpCaller caller, BackfillService backfills, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(BackfillView.Of(await backfills.BeginAsync(caller.For(it.Author), name, new(it.Since, it.Limit), ct)));
    }

    static async Task<Ok<BackfillView>> ProgressAsync(string name, HttpCaller caller, BackfillService backfills, CancellationToken ct) =>
        TypedResults.Ok(BackfillView.Of(await backfills.GetAsync(caller, name, ct)));
}
