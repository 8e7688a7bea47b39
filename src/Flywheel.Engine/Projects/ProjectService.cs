using Flywheel.Core;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Projects;

/// <summary>The caller's project: its settings and its audit.</summary>
public sealed class ProjectService(IProjectStore projects, IAuditStore audit)
{
    const int MaxAnchorHours = 8_760;

    public async Task<Project> GetAsync(Caller caller, CancellationToken ct) => (await projects.GetAsync(caller.Project, ct))!;

    /// <exception cref="RequestException">A setting is out of range; the message names it.</exception>
    public async Task<Project> SetAsync(Caller caller, ProjectSettings settings, CancellationToken ct)
    {
        Check(settings);
        var now = await GetAsync(caller, ct);
        if (settings.AnchorHours is { } hours)
            await projects.SetAnchorHoursAsync(caller.Project, hours, ct);
        await projects.SetJudgingAsync(caller.Project, settings.BlindShare ?? now.BlindShare, settings.CanaryRate ?? now.CanaryRate, ct);
        await projects.SetLimitsAsync(caller.Project, settings.JudgeCallsPerDay, settings.JudgeUsdPerDay, settings.AuditRate, ct);
        return await GetAsync(caller, ct);
    }

    /// <summary>The newest entries, and whether the chain of hashes is whole. Cost grows with the audit, which is read whole.</summary>
    /// <exception cref="RequestException"><c>invalid_limit</c>.</exception>
    public async Task<AuditTrail> AuditAsync(Caller caller, int limit, CancellationToken ct) =>
        new(await audit.ListAsync(caller.Project, PageSize.Check(limit), ct), await audit.VerifyAsync(caller.Project, ct));

    static void Check(ProjectSettings it)
    {
        if (it.JudgeCallsPerDay < 0)
            throw RequestException.BadField("judge_calls_per_day", "`judge_calls_per_day` must be 0 or more, or null for no limit.");
        if (it.JudgeUsdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw RequestException.BadField("judge_usd_per_day", "`judge_usd_per_day` must be 0 or more, or null for no limit.");
        CheckShare("audit_rate", it.AuditRate);
        CheckShare("blind_share", it.BlindShare);
        CheckShare("canary_rate", it.CanaryRate);
        if (it.AnchorHours is not (null or >= 0 and <= MaxAnchorHours))
            throw RequestException.BadField("anchor_hours", $"`anchor_hours` must be 0 (never by itself) to {MaxAnchorHours}.");
    }

    static void CheckShare(string field, double? share)
    {
        if (share is not (null or >= 0 and <= 1))
            throw RequestException.BadField(field, $"`{field}` is a share from 0 to 1.");
    }
}
