using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Core.Proposals;

/// <summary>What a proposal is about.</summary>
public enum ProposalKind
{
    Metric,
    Prompt,
    Demonstration,
    Probe,
    Experiment,
}

public enum ProposalAction
{
    Add,
    Change,
    Retire,
}

public enum ProposalState
{
    Proposed,
    Approved,
    Rejected,
}

/// <summary>A suggested change with its evidence, waiting for a person.</summary>
/// <param name="Subject">Name of the metric or prompt, id of the demonstration.</param>
/// <param name="Summary">One sentence: what would change, and what it gains.</param>
/// <param name="Change">JSON; for a metric <see cref="MetricChange"/>.</param>
/// <param name="Evidence">JSON; what speaks for it, by the author's kind.</param>
/// <param name="Reason">What the person who decided said; null for nothing.</param>
public sealed record Proposal(
    long Id, ProjectId Project, ProposalKind Kind, ProposalAction Action, string Subject, string Summary, string Base, string Change,
    string Evidence, ProposalState State, string Author, DateTimeOffset CreatedAt, string? DecidedBy, DateTimeOffset? DecidedAt,
    string? Reason);

/// <summary>A proposal before it is stored.</summary>
public sealed record NewProposal(
    ProposalKind Kind, ProposalAction Action, string Subject, string Summary, string Base, string Change, string Evidence, string Author);

/// <summary>A rule for judges as proposed, with the labels that it was distilled from.</summary>
public sealed record ProposedGuideline(string Text, IReadOnlyList<Guid> Labels);

/// <summary>What would change of a metric.</summary>
/// <param name="Validator">Of the new version; null when there is none.</param>
/// <param name="Guidelines">Rules that join those that are approved already.</param>
public sealed record MetricChange(ValidatorSpec? Validator, IReadOnlyList<ProposedGuideline> Guidelines);

/// <summary>What a change of a metric starts from.</summary>
/// <param name="Guidelines">The approved ones, in order of their ids.</param>
public sealed record MetricBase(long MetricVersion, IReadOnlyList<Guid> Guidelines);

/// <summary>How proposals' parts are written.</summary>
public static class ProposalJson
{
    static readonly JsonSerializerOptions Options =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static T Read<T>(string json) where T : class => JsonSerializer.Deserialize<T>(json, Options)!;
}

/// <summary>What became of a decision about a proposal.</summary>
public enum ProposalDecision
{
    Done,
    Unknown,

    /// <summary>Somebody decided before.</summary>
    Already,

    /// <summary>What it starts from has changed: what the person saw is no longer what would change.</summary>
    Stale,

    /// <summary>No part of the product carries out a change of this kind and action yet.</summary>
    Unsupported,
}

/// <param name="Subject">Null for all.</param>
public sealed record ProposalFilter(ProposalKind? Kind = null, string? Subject = null, ProposalState? State = null, int Limit = 50);

public interface IProposalStore
{
    /// <summary>Stores a proposal, with an audit entry.</summary>
    Task<Proposal> AddAsync(ProjectId project, NewProposal proposal, DateTimeOffset at, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<Proposal>> ListAsync(ProjectId project, ProposalFilter filter, CancellationToken ct);

    Task<Proposal?> FindAsync(ProjectId project, long id, CancellationToken ct);

    /// <summary>Carries the change out, in the same transaction with its audit entries.</summary>
    Task<ProposalDecision> ApproveAsync(ProjectId project, long id, string person, string? reason, DateTimeOffset at, CancellationToken ct);

    Task<ProposalDecision> RejectAsync(ProjectId project, long id, string person, string? reason, DateTimeOffset at, CancellationToken ct);
}
