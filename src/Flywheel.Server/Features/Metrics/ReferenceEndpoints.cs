using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

/// <summary>What a detector takes for ordinary: proposed from traffic, in force once a person approves it.</summary>
static class ReferenceEndpoints
{
    public static void MapReferences(this IEndpointRouteBuilder api)
    {
        var references = api.MapGroup("/metrics/{name}/reference").WithTags("Metrics");
        references.MapPost("/", ProposeAsync).Needs(KeyScope.Admin)
            .WithSummary("Propose recent inputs as what is ordinary").ProducesProblem(400).ProducesProblem(409);
        references.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Proposed and decided references, newest first");
        references.MapPost("/{number:int}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Put a proposed reference in force");
        references.MapPost("/{number:int}/reject", RejectAsync).Needs(KeyScope.Admin).WithSummary("Decline a proposed reference");
    }

    static async Task<Created<ReferenceView>> ProposeAsync(
        string name, Body<ReferenceBody> body, HttpCaller caller, ReferenceService references, CancellationToken ct)
    {
        var it = body.Value;
        var (reference, sample) = await references.ProposeAsync(caller.For(it.Author), name, it.Node, it.Limit, ct);
        return TypedResults.Created($"/api/v1/metrics/{name}/reference", ReferenceView.Of(reference, sample));
    }

    static async Task<Ok<ReferenceList>> ListAsync(string name, HttpCaller caller, ReferenceService references, CancellationToken ct) =>
        TypedResults.Ok(ReferenceList.Of(await references.ListAsync(caller, name, ct)));

    static async Task<Ok<ReferenceView>> ApproveAsync(
        string name, int number, Body<ReferenceDecisionBody> body, HttpCaller caller, ReferenceService references, CancellationToken ct) =>
        TypedResults.Ok(ReferenceView.Of(await references.DecideAsync(caller.For(body.Value.Author), name, number, approve: true, ct)));

    static async Task<Ok<ReferenceView>> RejectAsync(
        string name, int number, Body<ReferenceDecisionBody> body, HttpCaller caller, ReferenceService references, CancellationToken ct) =>
        TypedResults.Ok(ReferenceView.Of(await references.DecideAsync(caller.For(body.Value.Author), name, number, approve: false, ct)));
}
