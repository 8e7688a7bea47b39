using Flywheel.Core.Projects;
using Flywheel.Engine.Judging;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

static class JudgingEndpoints
{
    public static void MapJudging(this IEndpointRouteBuilder api)
    {
        api.MapGuidelines();
        var metrics = api.MapGroup("/metrics/{name}").WithTags("Judging");
        metrics.MapGet("/alignment", AgreementAsync).Needs(KeyScope.Read).WithSummary("The judge against blind labels, version by version");
        metrics.MapGet("/calibration", CalibrationAsync).Needs(KeyScope.Read)
            .WithSummary("What the judge's confidence is worth, and what is promised");
        metrics.MapGet("/alarms", AlarmsAsync).Needs(KeyScope.Read)
            .WithSummary("Alarms of the metric's judge, newest first, and its canaries");
        metrics.MapGet("/budget", BudgetAsync).Needs(KeyScope.Read).WithSummary("What the metric's judges may use today, and used");
        metrics.MapPut("/budget", SetBudgetAsync).Needs(KeyScope.Admin).WithSummary("Limit what the metric's judges may use in a day");
        var alarms = api.MapGroup("/alarms").WithTags("Judging");
        alarms.MapGet("/", AllAlarmsAsync).Needs(KeyScope.Read).WithSummary("Open alarms of all judges, newest first");
        alarms.MapPost("/{id:long}/close", CloseAsync).Needs(KeyScope.Admin).WithSummary("Say that an alarm has been looked into");
    }

    static async Task<Ok<AgreementView>> AgreementAsync(
        string name, HttpCaller caller, JudgeAgreementService agreements, CancellationToken ct, string? by = null, string? bucket = null,
        string? node = null, string? from = null, string? to = null) =>
        TypedResults.Ok(AgreementView.Of(await agreements.GetAsync(caller, name, new(by, bucket, node, from, to), ct)));

    static async Task<Ok<CalibrationView>> CalibrationAsync(
        string name, HttpCaller caller, CalibrationService calibrations, CancellationToken ct, bool intervals = false) =>
        TypedResults.Ok(CalibrationView.Of(await calibrations.GetAsync(caller, name, ct), intervals));

    static async Task<Ok<AlarmList>> AlarmsAsync(string name, HttpCaller caller, AlarmService alarms, CancellationToken ct) =>
        TypedResults.Ok(AlarmList.Of(await alarms.GetAsync(caller, name, ct), name));

    static async Task<Ok<AlarmList>> AllAlarmsAsync(HttpCaller caller, AlarmService alarms, CancellationToken ct) =>
        TypedResults.Ok(AlarmList.Of(await alarms.OpenAsync(caller, ct)));

    static async Task<NoContent> CloseAsync(long id, Body<AuthorBody> body, HttpCaller caller, AlarmService alarms, CancellationToken ct)
    {
        await alarms.CloseAsync(caller.For(body.Value.Author), id, ct);
        return TypedResults.NoContent();
    }

    static async Task<Ok<BudgetView>> BudgetAsync(string name, HttpCaller caller, JudgeBudgetService budgets, CancellationToken ct) =>
        TypedResults.Ok(BudgetView.Of(await budgets.GetAsync(caller, name, ct)));

    static async Task<Ok<BudgetView>> SetBudgetAsync(
        string name, Body<BudgetBody> body, HttpCaller caller, JudgeBudgetService budgets, CancellationToken ct)
    {
        var it = body.Value;
        return TypedResults.Ok(BudgetView.Of(await budgets.SetAsync(caller.For(it.Author), name, it.CallsPerDay, it.UsdPerDay, ct)));
    }
}
