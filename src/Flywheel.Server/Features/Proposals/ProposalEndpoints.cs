using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Proposals;

/// <param name="Reason">Kept with the decision.</param>
public sealed record ChangeDecisionBody(string? Author = null, string? Reason = null);

/// <summary>A suggested change that waits for a person, or waited.</summary>
/// <param name="Base">What it starts from: where that has changed, it cannot be approved any more.</param>
/// <param name="Change">What approval changes.</param>
public sealed record ChangeProposalView(
    long Id, string Kind, string Action, string Subject, string Summary, string State, string Author, DateTimeOffset CreatedAt, string? DecidedBy,
    DateTimeOffset? DecidedAt, string? Reason, JsonElement Base, JsonElement Change, JsonElement Evidence)
{
    public static ChangeProposalView Of(Proposal it) => new(
        it.Id, Wire.Name(it.Kind), Wire.Name(it.Action), it.Subject, it.Summary, Wire.Name(it.State), it.Author, it.CreatedAt, it.DecidedBy, it.DecidedAt,
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
        proposals.MapPost("/{id:long}/approve", (long id, Body<ChangeDecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
            DecideAsync(id, true, body.Value, caller, store, clock, ct)).Needs(KeyScope.Admin).WithSummary("Sign off: the change is made");
        proposals.MapPost("/{id:long}/reject", (long id, Body<ChangeDecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
            DecideAsync(id, false, body.Value, caller, store, clock, ct)).Needs(KeyScope.Admin).WithSummary("Turn down: nothing changes");
    }

    static async Task<Ok<ChangeProposalList>> ListAsync(
        HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? state = null, string? kind = null, string? subject = null, int limit = 50) =>
        TypedResults.Ok(new ChangeProposalList(
            [.. (await store.Proposals.ListAsync(caller.Project, new(Word<ProposalKind>("kind", kind), subject, Word<ProposalState>("state", state), PageSize.Check(limit)), ct))
                .Select(ChangeProposalView.Of)]));

    static async Task<Ok<ChangeProposalView>> GetAsync(long id, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(ChangeProposalView.Of(await store.Proposals.FindAsync(caller.Project, id, ct) ?? throw Unknown(id)));

    static async Task<Ok<ChangeProposalView>> DecideAsync(
        long id, bool approve, ChangeDecisionBody body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        TypedResults.Ok(ChangeProposalView.Of(
            await DecideAsync(store, caller.Project, id, approve, body.Author ?? caller.Actor, body.Reason, clock.GetUtcNow(), ct)));

    /// <summary>Decides, or says why not; the same at the command line.</summary>
    public static async Task<Proposal> DecideAsync(
        IFlywheelStore store, ProjectId project, long id, bool approve, string person, string? reason, DateTimeOffset at, CancellationToken ct)
    {
        var decision = approve
            ? await store.Proposals.ApproveAsync(project, id, person, reason, at, ct)
            : await store.Proposals.RejectAsync(project, id, person, reason, at, ct);
        return decision switch
        {
            ProposalDecision.Done => (await store.Proposals.FindAsync(project, id, ct))!,
            ProposalDecision.Already => throw new RequestException(RequestErrorKind.Conflict, "already_decided", $"Proposal {id} was decided before: GET /api/v1/proposals/{id} says by whom."),
            ProposalDecision.Stale => throw new RequestException(
                RequestErrorKind.Conflict, "stale_proposal", $"What proposal {id} would change has changed since it was made: reject it, and have a new one made."),
            ProposalDecision.Unsupported => throw new RequestException(RequestErrorKind.Conflict, "unsupported_proposal", $"Proposal {id} is of a kind that this version cannot carry out: reject it."),
            _ => throw Unknown(id),
        };
    }

    static T? Word<T>(string field, string? text) where T : struct, Enum => text is null
        ? null
        : Wire.Parse<T>(text) ?? throw RequestException.BadField(field, $"`{field}` is `{text}`: use {Wire.Choices<T>()}.");

    static RequestException Unknown(long id) => RequestException.NotFound("proposal", $"There is no proposal {id} in this project.");
}
