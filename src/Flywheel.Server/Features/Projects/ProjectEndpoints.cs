using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Projects;

/// <param name="JudgeCallsPerDay">Model calls of judges in a UTC day; null means no limit.</param>
/// <param name="JudgeUsdPerDay">US dollars of judges in a UTC day; null means no limit.</param>
/// <param name="AuditRate">Share of verdicts, 0 to 1, that go to a person at random.</param>
/// <param name="BlindShare">Share of a judge's items in the queue, 0 to 1, that are served without its suggestion.</param>
/// <param name="CanaryRate">Share of a judge's texts, 0 to 1, that are judged twice more with orders planted in them.</param>
/// <param name="AnchorHours">Hours between two replays of judges' frozen cases; 0 for none but those that are asked for.</param>
public sealed record ProjectView(
    string Name, int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, double BlindShare, double CanaryRate, DateTimeOffset CreatedAt,
    int AnchorHours)
{
    public static ProjectView Of(Project project) =>
        new(project.Name, project.JudgeCallsPerDay, project.JudgeUsdPerDay, project.AuditRate, project.BlindShare, project.CanaryRate, project.CreatedAt, project.AnchorHours);
}

/// <param name="BlindShare">Left out: stays as it is.</param>
/// <param name="CanaryRate">Left out: stays as it is.</param>
/// <param name="AnchorHours">Left out: stays as it is.</param>
public sealed record LimitsBody(
    int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, double? BlindShare = null, double? CanaryRate = null, int? AnchorHours = null);

public sealed record AuditView(
    long Id, DateTimeOffset At, string Actor, string Action, string Subject, JsonElement Details, string Hash);

/// <param name="FirstBroken">The first entry whose hash does not fit; null when the chain is whole.</param>
public sealed record AuditList(IReadOnlyList<AuditView> Entries, long? FirstBroken);

static class ProjectEndpoints
{
    public static void MapProject(this IEndpointRouteBuilder api)
    {
        api.MapGet("/project", GetAsync).Needs(KeyScope.Read).WithTags("Project").WithSummary("The caller's project and its limits");
        api.MapPut("/project", PutAsync).Needs(KeyScope.Admin).WithTags("Project").WithSummary("Set the judges' budget and the audit rate");
        api.MapGet("/audit", AuditAsync).Needs(KeyScope.Admin).WithTags("Project").WithSummary("Who changed what, newest first, and whether the chain is whole");
    }

    static async Task<Ok<ProjectView>> GetAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(ProjectView.Of((await store.Projects.GetAsync(caller.Project, ct))!));

    static async Task<Ok<ProjectView>> PutAsync(Body<LimitsBody> body, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var it = body.Value;
        if (it.JudgeCallsPerDay < 0)
            throw RequestException.BadField("judge_calls_per_day", "`judge_calls_per_day` must be 0 or more, or null for no limit.");
        if (it.JudgeUsdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw RequestException.BadField("judge_usd_per_day", "`judge_usd_per_day` must be 0 or more, or null for no limit.");
        if (it.AuditRate is not (>= 0 and <= 1))
            throw RequestException.BadField("audit_rate", "`audit_rate` is a share from 0 to 1.");
        if (it.BlindShare is not (null or >= 0 and <= 1))
            throw RequestException.BadField("blind_share", "`blind_share` is a share from 0 to 1.");
        if (it.CanaryRate is not (null or >= 0 and <= 1))
            throw RequestException.BadField("canary_rate", "`canary_rate` is a share from 0 to 1.");
        if (it.AnchorHours is not (null or >= 0 and <= 8_760))
            throw RequestException.BadField("anchor_hours", "`anchor_hours` must be 0 (never by itself) to 8760.");
        var now = (await store.Projects.GetAsync(caller.Project, ct))!;
        if (it.AnchorHours is { } hours)
            await store.Projects.SetAnchorHoursAsync(caller.Project, hours, ct);
        await store.Projects.SetJudgingAsync(caller.Project, it.BlindShare ?? now.BlindShare, it.CanaryRate ?? now.CanaryRate, ct);
        await store.Projects.SetLimitsAsync(caller.Project, it.JudgeCallsPerDay, it.JudgeUsdPerDay, it.AuditRate, ct);
        return await GetAsync(caller, store, ct);
    }

    static async Task<Ok<AuditList>> AuditAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct, int limit = 50)
    {
        var entries = await store.Audit.ListAsync(caller.Project, PageSize.Check(limit), ct);
        return TypedResults.Ok(new AuditList(
            [.. entries.Select(it => new AuditView(it.Id, it.At, it.Actor, it.Action, it.Subject, JsonSerializer.Deserialize<JsonElement>(it.Details), it.Hash))],
            await store.Audit.VerifyAsync(caller.Project, ct)));
    }
}
