using Flywheel.Core.Projects;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

static class AlignEndpoints
{
    public static void MapAlign(this IEndpointRouteBuilder api)
    {
        var align = api.MapGroup("/metrics/{name}/align").WithTags("Judging");
        align.MapPost("/", BeginAsync).Needs(KeyScope.Admin)
            .WithSummary("Look for a better judge; one that later labels bear out becomes a proposal");
        align.MapGet("/", ListAsync).Needs(KeyScope.Read)
            .WithSummary("Searches for a better judge, newest first, with progress and results");
    }

    static async Task<Results<Ok<AlignView>, Accepted<AlignView>>> BeginAsync(
        string name, Body<AlignBody> body, HttpCaller caller, AlignmentService alignments, CancellationToken ct)
    {
        var request = body.Value.Request();
        if (body.Value.DryRun)
            return TypedResults.Ok(AlignView.Of(await alignments.LookAsync(caller, name, request, ct), null));
        var (outlook, run) = await alignments.BeginAsync(caller.For(body.Value.Author), name, request, ct);
        return run is null
            ? TypedResults.Ok(AlignView.Of(outlook, null))
            : TypedResults.Accepted($"/api/v1/metrics/{Uri.EscapeDataString(name)}/align", AlignView.Of(outlook, run));
    }

    static async Task<Ok<AlignmentRunList>> ListAsync(
        string name, HttpCaller caller, AlignmentService alignments, CancellationToken ct, int limit = 20) =>
        TypedResults.Ok(new AlignmentRunList(
            [.. (await alignments.ListAsync(caller, name, limit, ct)).Select(run => AlignmentRunView.Of(run, name))]));
}
