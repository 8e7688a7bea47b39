using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Engine.Proposals;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Proposals;

/// <param name="Reason">Kept with the decision.</param>
public sealed record ChangeDecisionBody(string? Author = null, string? Reason = null);

/// <summary>A suggested change that waits for a person, or waited.</summary>
/// <param name="Base">What it starts from: where that has changed, it cannot be approved any more.</param>
/// <param name="Change">What approval changes.</param>
public sealed record ChangeProposalView(
    long Id, string Kind, string Action, string Subject, string Summary, string State, string Author, DateTimeOffset CreatedAt,
    string? DecidedBy,
    DateTimeOffset? DecidedAt, string? Reason, JsonElement Base, JsonElement Change, JsonElement Evidence)
{
    public static ChangeProposalView Of(Proposal it) => new(
        it.Id, Wire.Name(it.Kind), Wire.Name(it.Action), it.Subject, it.Summary, Wire.Name(it.State), it.Author, it.CreatedAt, it.DecidedBy,
        it.DecidedAt,
        it.Reason, JsonElement.Parse(it.Base), JsonElement.Parse(it.Change), JsonElement.Parse(it.Evidence));
}

public sealed record ChangeProposalList(IReadOnlyList<ChangeProposalView> Proposals);

static class ProposalEndpoints
{
    public static void MapProposals(this IEndpointRouteBuilder api)
    {
        var proposals = api.MapGroup("/proposals").WithTags("Proposals");
        proposals.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Suggested changes with their evidence, newest first");
        proposals.MapGet("/{id:long}", GetAsync).Needs(KeyScope.Read).WithSummary("One suggested change");
        proposals.MapPost("/{id:long}/approve", ApproveAsync).Needs(KeyScope.Admin).WithSummary("Sign off: the change is made");
        proposals.MapPost("/{id:long}/reject", RejectAsync).Needs(KeyScope.Admin).WithSummary("Turn down: nothing changes");
    }

    static async Task<Ok<ChangeProposalList>> ListAsync(
        HttpCaller caller, ProposalService proposals, CancellationToken ct, string? state = null, string? kind = null,
        string? subject = null, int limit = 50) =>
        TypedResults.Ok(new ChangeProposalList(
            [.. (await proposals.ListAsync(caller, new(kind, subject, state, limit), ct)).Select(ChangeProposalView.Of)]));

    static async Task<Ok<ChangeProposalView>> GetAsync(long id, HttpCaller caller, ProposalService proposals, CancellationToken ct) =>
        TypedResults.Ok(ChangeProposalView.Of(await proposals.GetAsync(caller, id, ct)));

    static async Task<Ok<ChangeProposalView>> ApproveAsync(
        long id, Body<ChangeDecisionBody> body, HttpCaller caller, ProposalService proposals, CancellationToken ct) =>
        TypedResults.Ok(ChangeProposalView.Of(await proposals.ApproveAsync(caller.For(body.Value.Author), id, body.Value.Reason, ct)));

    static async Task<Ok<ChangeProposalView>> RejectAsync(
        long id, Body<ChangeDecisionBody> body, HttpCaller caller, ProposalService proposals, CancellationToken ct) =>
        TypedResults.Ok(ChangeProposalView.Of(await proposals.RejectAsync(caller.For(body.Value.Author), id, body.Value.Reason, ct)));
}
