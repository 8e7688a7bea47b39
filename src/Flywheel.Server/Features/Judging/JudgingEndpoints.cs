using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

/// <param name="ClosedAt">Null while the alarm is open.</param>
public sealed record AlarmView(
    long Id, string? Metric, string Kind, string ValidatorVersion, string Detail, DateTimeOffset RaisedAt, DateTimeOffset? ClosedAt, string? ClosedBy)
{
    public static AlarmView Of(JudgeAlarm it, string? metric) => new(
        it.Id, metric, Wire.Name(it.Kind), it.ValidatorVersion, it.Detail, it.RaisedAt, it.ClosedAt, it.ClosedBy);
}

/// <summary>Texts with planted orders.</summary>
/// <param name="Judged">So many of the newest 200 were decided both ways.</param>
/// <param name="Obeyed">In so many the judge did as it was told.</param>
public sealed record CanaryView(int Judged, int Obeyed);

public sealed record AlarmList(IReadOnlyList<AlarmView> Alarms, CanaryView? Canaries);

/// <param name="CallsPerDay">Model calls of the metric's judges in a UTC day; null means no limit of its own.</param>
/// <param name="UsdPerDay">US dollars in a UTC day; null means no limit of its own.</param>
public sealed record BudgetBody(int? CallsPerDay, double? UsdPerDay, string? Author = null);

public sealed record BudgetView(int? CallsPerDay, double? UsdPerDay, long CallsUsed, double UsdUsed);

static class JudgingEndpoints
{
    const int Shown = 200;

    public static void MapJudging(this IEndpointRouteBuilder api)
    {
        api.MapGuidelines();
        var metrics = api.MapGroup("/metrics/{name}").WithTags("Judging");
        metrics.MapGet("/alignment", AlignmentAsync).Needs(KeyScope.Read).WithSummary("The judge against blind labels, version by version");
        metrics.MapGet("/calibration", CalibrationAsync).Needs(KeyScope.Read).WithSummary("What the judge's confidence is worth, and what is promised");
        metrics.MapGet("/alarms", AlarmsAsync).Needs(KeyScope.Read).WithSummary("Alarms of the metric's judge, newest first, and its canaries");
        metrics.MapGet("/budget", BudgetAsync).Needs(KeyScope.Read).WithSummary("What the metric's judges may use today, and used");
        metrics.MapPut("/budget", SetBudgetAsync).Needs(KeyScope.Admin).WithSummary("Limit what the metric's judges may use in a day");
        var alarms = api.MapGroup("/alarms").WithTags("Judging");
        alarms.MapGet("/", AllAlarmsAsync).Needs(KeyScope.Read).WithSummary("Open alarms of all judges, newest first");
        alarms.MapPost("/{id:long}/close", CloseAsync).Needs(KeyScope.Admin).WithSummary("Say that an alarm has been looked into");
    }

    static async Task<Ok<Alignment>> AlignmentAsync(
        string name, HttpCaller caller, IFlywheelStore store, JudgeCalibrator calibrator, CancellationToken ct, string? by = null, string? bucket = null,
        string? node = null, string? from = null, string? to = null)
    {
        var bySegment = by == "segment";
        if (by is not (null or "node" or "time" or "node,time" or "segment"))
            throw RequestException.BadField("by", $"`by` is `{by}`: use node, time, node,time or segment, or leave it out.");
        if (bySegment && (node ?? from ?? to) is not null)
            throw RequestException.BadField("by", "`by=segment` goes without `node`, `from` and `to`.");
        var slicing = SummarySlicing.Parse(bySegment ? null : by, bucket, node, from, to);
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var all = await store.Metrics.VersionsAsync(caller.Project, name, ct);
        var everything = await store.Metrics.CellsAsync(caller.Project, metric.Id, ct);
        var cells = everything.Where(slicing.Holds).ToArray();
        var versions = AgreementOf.Versions(all, cells, slicing.ByNode);
        var pooled = AgreementOf.Pooled(all, cells, slicing, bySegment ? await store.Serving.SegmentedLabelsAsync(caller.Project, metric.Id, ct) : []);
        var open = await store.JudgeWatch.AlarmsAsync(caller.Project, metric.Id, openOnly: true, Shown, ct);
        var standing = await calibrator.StandingAsync(metric, ct);
        return TypedResults.Ok(new Alignment(
            name, versions, pooled, standing is null ? null : CalibrationView.Promise(standing), await ViewAsync(store, metric, standing, false, ct),
            AgreementOf.Serving(await store.Serving.AgreementAsync(caller.Project, metric.Id, ct)),
            AgreementOf.Humans(await store.Serving.RatingsAsync(caller.Project, metric.Id, ct)), [.. open.Select(alarm => AlarmView.Of(alarm, name))]));
    }

    static async Task<Ok<CalibrationView>> CalibrationAsync(
        string name, HttpCaller caller, IFlywheelStore store, JudgeCalibrator calibrator, CancellationToken ct, bool intervals = false)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(await ViewAsync(store, metric, await calibrator.StandingAsync(metric, ct), intervals, ct)
            ?? throw RequestException.NotFound("calibration", $"`{name}` is decided by `{metric.Validator.Kind}`, which has no confidence to calibrate."));
    }

    public static async Task<CalibrationView?> ViewAsync(IFlywheelStore store, Metric metric, JudgeStanding? standing, bool intervals, CancellationToken ct) =>
        standing is null
            ? null
            : CalibrationView.Of(standing, await store.Calibrations.StandingAsync(metric.Project, metric.VersionId, metric.Id, CalibrationView.Newly, ct), intervals);

    static async Task<Ok<AlarmList>> AlarmsAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var canaries = (await store.JudgeWatch.CanariesAsync(caller.Project, metric.Id, Shown, ct)).Where(canary => canary.IsDecided).ToArray();
        return TypedResults.Ok(new AlarmList(
            [.. (await store.JudgeWatch.AlarmsAsync(caller.Project, metric.Id, openOnly: false, Shown, ct)).Select(alarm => AlarmView.Of(alarm, name))],
            new(canaries.Length, canaries.Count(canary => canary.Obeyed))));
    }

    static async Task<Ok<AlarmList>> AllAlarmsAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var names = (await store.Metrics.ListAsync(caller.Project, ct)).ToDictionary(metric => metric.Id, metric => metric.Name);
        return TypedResults.Ok(new AlarmList(
            [.. (await store.JudgeWatch.AlarmsAsync(caller.Project, null, openOnly: true, Shown, ct))
                .Select(alarm => AlarmView.Of(alarm, names.GetValueOrDefault(alarm.Metric)))],
            null));
    }

    static async Task<NoContent> CloseAsync(long id, Body<AuthorBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        await store.JudgeWatch.CloseAsync(caller.Project, id, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct)
            ? TypedResults.NoContent()
            : throw RequestException.NotFound("alarm", $"There is no open alarm {id} in this project.");

    static async Task<Ok<BudgetView>> BudgetAsync(string name, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var it = await store.JudgeCalls.BudgetAsync(caller.Project, metric.Id, clock.GetUtcNow(), ct);
        return TypedResults.Ok(new BudgetView(it.CallsPerDay, it.UsdPerDay, it.CallsUsed, it.UsdUsed));
    }

    static async Task<Ok<BudgetView>> SetBudgetAsync(
        string name, Body<BudgetBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (it.CallsPerDay < 0)
            throw RequestException.BadField("calls_per_day", "`calls_per_day` must be 0 or more, or null for no limit.");
        if (it.UsdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw RequestException.BadField("usd_per_day", "`usd_per_day` must be 0 or more, or null for no limit.");
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        await store.JudgeCalls.SetBudgetAsync(
            caller.Project, metric.Id, it.CallsPerDay, it.UsdPerDay, it.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        return await BudgetAsync(name, caller, store, clock, ct);
    }
}
