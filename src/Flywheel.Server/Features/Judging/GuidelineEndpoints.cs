using Flywheel.Core.Projects;
using Flywheel.Engine.Judging;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

static class GuidelineEndpoints
{
    public static void MapGuidelines(this IEndpointRouteBuilder api)
    {
        var guidelines = api.MapGroup("/metrics/{name}/guidelines").WithTags("Judging");
        guidelines.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Rules for the metric's judges, oldest first");
        guidelines.MapPost("/", ProposeAsync).Needs(KeyScope.Admin)
            .WithSummary("Propose a rule, or let a model distil some from disagreements");
        guidelines.MapPost("/{id:guid}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Put a rule into the judges' prompts");
        guidelines.MapPost("/{id:guid}/remove", RemoveAsync).Needs(KeyScope.Admin).WithSummary("Take a rule out of the judges' prompts");
    }

    static async Task<Ok<GuidelineList>> ListAsync(
        string name, HttpCaller caller, GuidelineService guidelines, CancellationToken ct, string? state = null) =>
        TypedResults.Ok(GuidelineList.Of(await guidelines.ListAsync(caller, name, state, ct)));

    static async Task<Ok<GuidelineList>> ProposeAsync(
        string name, Body<GuidelineBody> body, HttpCaller caller, GuidelineService guidelines, CancellationToken ct)
    {
        var author = caller.For(body.Value.Author);
        return TypedResults.Ok(GuidelineList.Of(body.Value.Text is { } text
            ? [await guidelines.ProposeAsync(author, name, text, ct)]
            : await guidelines.DistilAsync(author, name, body.Value.Model, ct)));
    }

    static async Task<Ok<GuidelineView>> ApproveAsync(
        string name, Guid id, Body<AuthorBody> body, HttpCaller caller, GuidelineService guidelines, CancellationToken ct) =>
        TypedResults.Ok(GuidelineView.Of(await guidelines.ApproveAsync(caller.For(body.Value.Author), name, id, ct)));

    static async Task<Ok<GuidelineView>> RemoveAsync(
        string name, Guid id, Body<AuthorBody> body, HttpCaller caller, GuidelineService guidelines, CancellationToken ct) =>
        TypedResults.Ok(GuidelineView.Of(await guidelines.RemoveAsync(caller.For(body.Value.Author), name, id, ct)));
}
