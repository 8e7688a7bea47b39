using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Prompts;

public enum PromptType
{
    /// <summary>One text.</summary>
    Text,

    /// <summary>Messages with roles.</summary>
    Chat,
}

/// <summary>One wording of a prompt; never edited, the next one gets the next number.</summary>
/// <param name="Number">1 and up, without gaps.</param>
/// <param name="Template">The text, or for chat a JSON array of <c>{role, content}</c>; <c>{{variable}}</c> is a placeholder.</param>
/// <param name="Config">JSON object: model, temperature and what else belongs to this wording; <c>{}</c> when there is nothing.</param>
/// <param name="Note">What changed, in the author's words.</param>
public sealed record PromptVersion(
    ProjectId Project, string Name, int Number, PromptType Type, string Template, string Config, string? Note, string Author,
    DateTimeOffset CreatedAt);

/// <summary>
/// A name that points at a version of a prompt, such as <c>production</c>. Human labels are <see cref="Labeling.Label"/>.
/// </summary>
public sealed record PromptLabel(string Label, int Number, string Author, DateTimeOffset UpdatedAt)
{
    /// <summary>Always the newest version; nobody sets it.</summary>
    public const string Latest = "latest";

    /// <summary>What is fetched when nobody says which.</summary>
    public const string Production = "production";
}

/// <param name="Versions">How many there are, which is the newest one's number.</param>
public sealed record PromptSummary(string Name, PromptType Type, int Versions, DateTimeOffset UpdatedAt, IReadOnlyList<PromptLabel> Labels);

public enum ProposalState
{
    Proposed,
    Approved,
    Rejected,
}

/// <summary>A protected prompt label that is to move, waiting for a person.</summary>
/// <param name="From">Number of the version that the prompt label pointed at when it was proposed; null for none.</param>
public sealed record PromptLabelProposal(
    long Id, string Name, string Label, int Number, int? From, string? Reason, ProposalState State, string Author, DateTimeOffset CreatedAt,
    string? DecidedBy, DateTimeOffset? DecidedAt);

/// <summary>Spans that ran one version.</summary>
public sealed record PromptUse(int Number, long Spans, DateTimeOffset First, DateTimeOffset Last);

/// <summary>What became of a decision about a proposal.</summary>
public enum PromptDecision
{
    Done,
    Unknown,

    /// <summary>Somebody decided before.</summary>
    Already,

    /// <summary>The prompt label has moved since it was proposed: what the person saw is no longer what would change.</summary>
    Stale,
}

public interface IPromptStore
{
    /// <summary>Adds the next version; the newest one's content again adds nothing and returns it.</summary>
    /// <param name="version">Its number is ignored.</param>
    /// <exception cref="ArgumentException">The prompt's versions are of the other type.</exception>
    Task<PromptVersion> AddAsync(PromptVersion version, CancellationToken ct);

    /// <summary>By name.</summary>
    Task<IReadOnlyList<PromptSummary>> ListAsync(ProjectId project, CancellationToken ct);

    Task<PromptVersion?> FindAsync(ProjectId project, string name, int number, CancellationToken ct);

    /// <param name="label">One of the prompt's labels, or <c>latest</c>.</param>
    Task<PromptVersion?> FindAsync(ProjectId project, string name, string label, CancellationToken ct);

    /// <summary>Newest first; empty when there is no such prompt.</summary>
    Task<IReadOnlyList<PromptVersion>> VersionsAsync(ProjectId project, string name, CancellationToken ct);

    Task<IReadOnlyList<PromptLabel>> LabelsAsync(ProjectId project, string name, CancellationToken ct);

    /// <summary>Points a prompt label at a version, or proposes it when the project protects the prompt label.</summary>
    /// <returns>The proposal that waits for a person; null when the prompt label has moved or stood there already.</returns>
    /// <exception cref="KeyNotFoundException">There is no such version.</exception>
    Task<PromptLabelProposal?> MoveAsync(
        ProjectId project, string name, string label, int number, string? reason, string author, DateTimeOffset at, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<PromptLabelProposal>> ProposalsAsync(ProjectId project, ProposalState? state, int limit, CancellationToken ct);

    /// <summary>Approves, which moves the prompt label, or rejects.</summary>
    Task<PromptDecision> DecideAsync(
        ProjectId project, long proposal, bool approve, string person, DateTimeOffset at, CancellationToken ct);

    /// <summary>By version, newest first; versions that no span ran are left out.</summary>
    Task<IReadOnlyList<PromptUse>> UsesAsync(ProjectId project, string name, CancellationToken ct);

    /// <summary>Newest first.</summary>
    Task<IReadOnlyList<SpanKey>> SpansAsync(ProjectId project, string name, int number, int limit, CancellationToken ct);

    /// <summary>Prompt labels of the project that move only with a person's approval; none unless somebody set them.</summary>
    Task<IReadOnlyList<string>> ProtectedAsync(ProjectId project, CancellationToken ct);

    Task ProtectAsync(ProjectId project, IReadOnlyList<string> labels, string author, DateTimeOffset at, CancellationToken ct);
}
