using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Proposals;

namespace Flywheel.Engine.Proposals;

/// <summary>Suggested changes: a person reads them with their evidence and signs off or turns down.</summary>
public sealed class ProposalService(IProposalStore proposals, TimeProvider clock)
{
    /// <summary>The newest first.</summary>
    /// <exception cref="RequestException"><c>invalid_kind</c>, <c>invalid_state</c>, <c>invalid_limit</c>.</exception>
    public Task<IReadOnlyList<Proposal>> ListAsync(Caller caller, ProposalRequest request, CancellationToken ct) => proposals.ListAsync(
        caller.Project,
        new(
            Wire.Choice<ProposalKind>("kind", request.Kind), request.Subject, Wire.Choice<ProposalState>("state", request.State),
            PageSize.Check(request.Limit)),
        ct);

    /// <exception cref="RequestException"><c>unknown_proposal</c>.</exception>
    public async Task<Proposal> GetAsync(Caller caller, long id, CancellationToken ct) =>
        await proposals.FindAsync(caller.Project, id, ct) ?? throw Unknown(id);

    /// <summary>Carries the change out.</summary>
    /// <param name="reason">Kept with the decision; null for none.</param>
    /// <exception cref="RequestException">
    /// <c>unknown_proposal</c>, <c>already_decided</c>, <c>stale_proposal</c>, <c>unsupported_proposal</c>.
    /// </exception>
    public async Task<Proposal> ApproveAsync(Caller caller, long id, string? reason, CancellationToken ct) =>
        await DecidedAsync(caller, id, await proposals.ApproveAsync(caller.Project, id, caller.Actor, reason, clock.GetUtcNow(), ct), ct);

    /// <summary>Turns the change down; nothing else changes.</summary>
    /// <param name="reason">Kept with the decision; null for none.</param>
    /// <exception cref="RequestException"><c>unknown_proposal</c>, <c>already_decided</c>.</exception>
    public async Task<Proposal> RejectAsync(Caller caller, long id, string? reason, CancellationToken ct) =>
        await DecidedAsync(caller, id, await proposals.RejectAsync(caller.Project, id, caller.Actor, reason, clock.GetUtcNow(), ct), ct);

    async Task<Proposal> DecidedAsync(Caller caller, long id, ProposalDecision decision, CancellationToken ct) => decision switch
    {
        ProposalDecision.Done => await GetAsync(caller, id, ct),
        ProposalDecision.Already => throw new RequestException(
            RequestErrorKind.Conflict, "already_decided", $"Proposal {id} was decided before: read it to see by whom."),
        ProposalDecision.Stale => throw new RequestException(
            RequestErrorKind.Conflict, "stale_proposal",
            $"What proposal {id} would change has changed since it was made: reject it, and have a new one made."),
        ProposalDecision.Unsupported => throw new RequestException(
            RequestErrorKind.Conflict, "unsupported_proposal",
            $"Proposal {id} is of a kind that this version cannot carry out: reject it."),
        _ => throw Unknown(id),
    };

    static RequestException Unknown(long id) => RequestException.NotFound("proposal", $"There is no proposal {id} in this project.");
}
