namespace Flywheel.Engine.Projects;

/// <summary>The settings of a project that a person can change.</summary>
/// <param name="JudgeCallsPerDay">Number of model calls of judges per UTC day; null for no limit.</param>
/// <param name="JudgeUsdPerDay">US dollars of judges per UTC day; null for no limit.</param>
/// <param name="AuditRate">Share in [0, 1] of verdicts that go to a person at random.</param>
/// <param name="BlindShare">Null leaves it as it is; likewise the next two.</param>
public sealed record ProjectSettings(
    int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, double? BlindShare = null, double? CanaryRate = null,
    int? AnchorHours = null);
