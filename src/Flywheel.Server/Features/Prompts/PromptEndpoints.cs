using Flywheel.Core.Projects;
using Flywheel.Engine.Prompts;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Prompts;

static class PromptEndpoints
{
    public static void MapPrompts(this IEndpointRouteBuilder api)
    {
        var prompts = api.MapGroup("/prompts").WithTags("Prompts");
        prompts.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Prompts with their prompt labels");
        prompts.MapGet("/{name}", GetAsync).Needs(KeyScope.Read)
            .WithSummary("One prompt: its versions, newest first, and the number of spans that ran each");
        prompts.MapPost("/{name}/versions", AddAsync).Needs(KeyScope.Admin)
            .WithSummary("Add a version; the newest one's content again adds nothing");
        prompts.MapGet("/{name}/versions/{which}", FetchAsync).Needs(KeyScope.Ingest)
            .WithSummary("One version, by its number or a prompt label; `latest` is the newest");
        prompts.MapPost("/{name}/versions/{which}/render", RenderAsync).Needs(KeyScope.Ingest)
            .WithSummary("A version with its placeholders filled");
        prompts.MapGet("/{name}/versions/{which}/spans", SpansAsync).Needs(KeyScope.Read)
            .WithSummary("The newest spans that ran a version");
        prompts.MapGet("/{name}/diff", DiffAsync).Needs(KeyScope.Read)
            .WithSummary("What changed between two versions or prompt labels, as a unified diff");
        prompts.MapPut("/{name}/labels/{label}", MoveLabelAsync).Needs(KeyScope.Admin)
            .WithSummary("Point a prompt label at a version; 202 and a proposal if the prompt label is protected");
        var proposals = api.MapGroup("/prompt-proposals").WithTags("Prompts");
        proposals.MapGet("/", ProposalsAsync).Needs(KeyScope.Read).WithSummary("Protected prompt labels that are to move");
        proposals.MapPost("/{id:long}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Sign off: the prompt label moves");
        proposals.MapPost("/{id:long}/reject", RejectAsync).Needs(KeyScope.Admin).WithSummary("Turn down: the prompt label stays");
        api.MapGet("/project/protected-labels", ProtectedAsync).Needs(KeyScope.Read).WithTags("Prompts")
            .WithSummary("Prompt labels that move only with a person's sign-off");
        api.MapPut("/project/protected-labels", ProtectAsync).Needs(KeyScope.Admin).WithTags("Prompts")
            .WithSummary("Set which prompt labels need sign-off; none by default");
        api.MapGet("/traces/{traceId}/spans/{spanId}/prompt", ExactAsync).Needs(KeyScope.Read).WithTags("Prompts")
            .WithSummary("The prompt that a span got, message by message, demonstrations marked");
    }

    static async Task<Ok<PromptList>> ListAsync(HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(new PromptList([.. (await prompts.ListAsync(caller, ct)).Select(PromptSummaryView.Of)]));

    static async Task<Ok<PromptView>> GetAsync(string name, HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(PromptView.Of(name, await prompts.HistoryAsync(caller, name, ct)));

    static async Task<Ok<PromptVersionView>> AddAsync(
        string name, Body<PromptBody> body, HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(PromptVersionView.Of(await prompts.AddAsync(caller.For(body.Value.Author), name, body.Value.Request(), ct)));

    static async Task<Ok<PromptVersionView>> FetchAsync(
        string name, string which, HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(PromptVersionView.Of(await prompts.GetLabelledAsync(caller, name, which, ct)));

    static async Task<Ok<RenderedView>> RenderAsync(
        string name, string which, Body<RenderBody> body, HttpCaller caller, PromptService prompts, CancellationToken ct)
    {
        var it = await prompts.RenderAsync(caller, name, which, body.Value.Variables, ct);
        return TypedResults.Ok(new RenderedView(name, it.Version.Number, it.Messages));
    }

    static async Task<Ok<PromptSpans>> SpansAsync(
        string name, string which, HttpCaller caller, PromptService prompts, CancellationToken ct, int limit = 50) =>
        TypedResults.Ok(new PromptSpans(
            [.. (await prompts.SpansAsync(caller, name, which, limit, ct)).Select(key => new PromptSpan(key.Trace, key.Span))]));

    static async Task<Ok<PromptDiff>> DiffAsync(
        string name, HttpCaller caller, PromptService prompts, CancellationToken ct, string? from = null, string? to = null) =>
        TypedResults.Ok(PromptDiff.Of(await prompts.DiffAsync(caller, name, from, to, ct)));

    static async Task<Results<Ok<PromptLabelMoved>, Accepted<PromptLabelMoved>>> MoveLabelAsync(
        string name, string label, Body<PromptLabelMoveBody> body, HttpCaller caller, PromptService prompts, CancellationToken ct)
    {
        var it = body.Value;
        var proposal = await prompts.MoveLabelAsync(caller.For(it.Author), name, label, it.Version, it.Reason, ct);
        var moved = PromptLabelMoved.Of(name, label, it.Version, proposal);
        return proposal is null ? TypedResults.Ok(moved) : TypedResults.Accepted($"/api/v1/prompt-proposals", moved);
    }

    static async Task<Ok<PromptLabelProposalList>> ProposalsAsync(
        HttpCaller caller, PromptService prompts, CancellationToken ct, string? state = null, int limit = 50) =>
        TypedResults.Ok(new PromptLabelProposalList(
            [.. (await prompts.ProposalsAsync(caller, state, limit, ct)).Select(PromptLabelProposalView.Of)]));

    static async Task<NoContent> ApproveAsync(
        long id, Body<PromptDecisionBody> body, HttpCaller caller, PromptService prompts, CancellationToken ct)
    {
        await prompts.DecideAsync(caller.For(body.Value.Author), id, approve: true, ct);
        return TypedResults.NoContent();
    }

    static async Task<NoContent> RejectAsync(
        long id, Body<PromptDecisionBody> body, HttpCaller caller, PromptService prompts, CancellationToken ct)
    {
        await prompts.DecideAsync(caller.For(body.Value.Author), id, approve: false, ct);
        return TypedResults.NoContent();
    }

    static async Task<Ok<ProtectedPromptLabels>> ProtectedAsync(HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(new ProtectedPromptLabels(await prompts.ProtectedLabelsAsync(caller, ct)));

    static async Task<Ok<ProtectedPromptLabels>> ProtectAsync(
        Body<ProtectedPromptLabels> body, HttpCaller caller, PromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(new ProtectedPromptLabels(await prompts.ProtectLabelsAsync(caller.For(body.Value.Author), body.Value.Labels, ct)));

    static async Task<Ok<SpanPrompt>> ExactAsync(
        string traceId, string spanId, HttpCaller caller, SpanPromptService prompts, CancellationToken ct) =>
        TypedResults.Ok(await prompts.GetAsync(caller, traceId, spanId, ct));
}
