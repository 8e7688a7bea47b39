using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Engine.Projects;
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
    string Name, int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, double BlindShare, double CanaryRate,
    DateTimeOffset CreatedAt,
    int AnchorHours)
{
    public static ProjectView Of(Project project) =>
        new(project.Name, project.JudgeCallsPerDay, project.JudgeUsdPerDay, project.AuditRate, project.BlindShare, project.CanaryRate,
            project.CreatedAt, project.AnchorHours);
}

/// <param name="BlindShare">Left out: stays as it is.</param>
/// <param name="CanaryRate">Left out: stays as it is.</param>
/// <param name="AnchorHours">Left out: stays as it is.</param>
public sealed record LimitsBody(
    int? JudgeCallsPerDay, double? JudgeUsdPerDay, double AuditRate, double? BlindShare = null, double? CanaryRate = null,
    int? AnchorHours = null)
{
    internal ProjectSettings Settings() => new(JudgeCallsPerDay, JudgeUsdPerDay, AuditRate, BlindShare, CanaryRate, AnchorHours);
}

public sealed record AuditView(
    long Id, DateTimeOffset At, string Actor, string Action, string Subject, JsonElement Details, string Hash)
{
    public static AuditView Of(AuditEntry it) =>
        new(it.Id, it.At, it.Actor, it.Action, it.Subject, JsonSerializer.Deserialize<JsonElement>(it.Details), it.Hash);
}

/// <param name="FirstBroken">The first entry whose hash does not fit; null when the chain is whole.</param>
public sealed record AuditList(IReadOnlyList<AuditView> Entries, long? FirstBroken)
{
    internal static AuditList Of(AuditTrail it) => new([.. it.Entries.Select(AuditView.Of)], it.FirstBroken);
}

static class ProjectEndpoints
{
    public static void MapProject(this IEndpointRouteBuilder api)
    {
        api.MapGet("/project", GetAsync).Needs(KeyScope.Read).WithTags("Project").WithSummary("The caller's project and its limits");
        api.MapPut("/project", PutAsync).Needs(KeyScope.Admin).WithTags("Project").WithSummary("Set the judges' budget and the audit rate");
        api.MapGet("/audit", AuditAsync).Needs(KeyScope.Admin).WithTags("Project")
            .WithSummary("Who changed what, newest first, and whether the chain is whole");
    }

    static async Task<Ok<ProjectView>> GetAsync(HttpCaller caller, ProjectService projects, CancellationToken ct) =>
        TypedResults.Ok(ProjectView.Of(await projects.GetAsync(caller, ct)));

    static async Task<Ok<ProjectView>> PutAsync(Body<LimitsBody> body, HttpCaller caller, ProjectService projects, CancellationToken ct) =>
        TypedResults.Ok(ProjectView.Of(await projects.SetAsync(caller, body.Value.Settings(), ct)));

    static async Task<Ok<AuditList>> AuditAsync(HttpCaller caller, ProjectService projects, CancellationToken ct, int limit = 50) =>
        TypedResults.Ok(AuditList.Of(await projects.AuditAsync(caller, limit, ct)));
}
