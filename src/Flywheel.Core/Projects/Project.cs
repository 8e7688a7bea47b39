namespace Flywheel.Core.Projects;

/// <summary>A tenant with its limits.</summary>
/// <param name="JudgeCallsPerDay">Model calls that judges may make in one UTC day; null means no limit.</param>
/// <param name="JudgeUsdPerDay">US dollars that judges may spend in one UTC day; null means no limit.</param>
/// <param name="AuditRate">Share in [0, 1] of verdicts that go to a person at random, whatever they say.</param>
public sealed record Project(
    ProjectId Id, string Name, int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, DateTimeOffset CreatedAt)
{
    /// <summary>Share in [0, 1] of a judge's items that the review queue serves without the judge's suggestion.</summary>
    public double BlindShare { get; init; } = 0.25;

    /// <summary>Share in [0, 1] of a judge's texts that are judged twice more with orders planted in them.</summary>
    public double CanaryRate { get; init; } = 0.01;

    /// <summary>Hours between two replays of judges' frozen cases, 0 to 8,760; 0 for none but those that are asked for.</summary>
    public int AnchorHours { get; init; } = 24;
}

/// <summary>What a key may do.</summary>
public enum KeyScope
{
    /// <summary>Write spans and feedback, retrieve demonstrations.</summary>
    Ingest,

    /// <summary>Read everything of the project.</summary>
    Read,

    /// <summary>Everything in the project: label, correct, approve, change metrics.</summary>
    Admin,

    /// <summary>Call models through the gateway, which costs money, and all of <see cref="Ingest"/>.</summary>
    Models,

    /// <summary>Search, read and propose through <c>/mcp</c>, and nothing else: verdicts of blind items stay hidden from it.</summary>
    Agent,
}

/// <summary>An API key as stored: never the secret itself.</summary>
/// <param name="Prefix">The first characters of the secret, for people to tell keys apart.</param>
public sealed record ApiKey(
    Guid Id, ProjectId Project, string Name, string Prefix, KeyScope Scope,
    DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? RevokedAt);

public interface IProjectStore
{
    Task<Project?> FindAsync(string name, CancellationToken ct);

    Task<Project?> GetAsync(ProjectId id, CancellationToken ct);

    Task<IReadOnlyList<Project>> ListAsync(CancellationToken ct);

    /// <summary>Creates the project, or returns the one that has this name.</summary>
    Task<Project> EnsureAsync(string name, DateTimeOffset at, CancellationToken ct);

    Task SetLimitsAsync(ProjectId id, int? judgeCallsPerDay, double? judgeUsdPerDay, double auditRate, CancellationToken ct);

    /// <summary>Sets how judges are checked: the shares of items served blind and of texts with planted orders.</summary>
    Task SetJudgingAsync(ProjectId id, double blindShare, double canaryRate, CancellationToken ct);

    Task SetAnchorHoursAsync(ProjectId id, int hours, CancellationToken ct);

    /// <param name="secretHash">SHA-256 of the whole secret, lower-case hex.</param>
    Task AddKeyAsync(ApiKey key, string secretHash, CancellationToken ct);

    /// <summary>
    /// The key with this hash, revoked and expired ones included; null when unknown. A key that another process revoked may be given as
    /// it was for a tenth of a second.
    /// </summary>
    ValueTask<ApiKey?> FindKeyAsync(string secretHash, CancellationToken ct);

    Task<IReadOnlyList<ApiKey>> ListKeysAsync(ProjectId project, CancellationToken ct);

    /// <returns>False when the project has no such key.</returns>
    Task<bool> RevokeKeyAsync(ProjectId project, Guid id, DateTimeOffset at, CancellationToken ct);
}
