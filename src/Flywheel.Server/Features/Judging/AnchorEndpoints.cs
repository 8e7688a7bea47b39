using Flywheel.Core;
using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Engine.Judging.Anchoring;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

/// <param name="Size">How many cases, 50 to 100.</param>
public sealed record AnchorBody(int Size = AnchorSet.Usual, string? Author = null);

/// <summary>All frozen cases asked about once.</summary>
/// <param name="ComparedWith">Id of the replay that it was compared with; null for one that later ones are compared with.</param>
/// <param name="Comparison">Null until it was compared.</param>
public sealed record ReplayView(
    long Id, string State, int Done, int Total, int? MetricVersion, long? ComparedWith, AnchorComparison? Comparison, bool Alarmed, double CostUsd, string? Detail,
    DateTimeOffset StartedAt, DateTimeOffset? EndedAt);

/// <param name="Passes">Frozen cases that people passed.</param>
/// <param name="EveryHours">As the project sets it; 0 for no replays but those that are asked for.</param>
/// <param name="NextAt">When the next replay is due; null for never.</param>
/// <param name="Replays">Newest first.</param>
public sealed record AnchorsView(
    string Metric, int Passes, int Fails, string Author, DateTimeOffset FrozenAt, int EveryHours, DateTimeOffset? NextAt, IReadOnlyList<ReplayView> Replays);

static class AnchorEndpoints
{
    public static void MapAnchors(this IEndpointRouteBuilder api)
    {
        var anchors = api.MapGroup("/metrics/{name}/anchors").WithTags("Judging");
        anchors.MapGet("/", GetAsync).Needs(KeyScope.Read).WithSummary("Frozen cases of the metric's judge and their replays, newest first");
        anchors.MapPost("/", FreezeAsync).Needs(KeyScope.Admin).WithSummary("Freeze blind-labelled cases with what the judge says of them now");
        anchors.MapPost("/replay", ReplayAsync).Needs(KeyScope.Admin).WithSummary("Ask the judge about the frozen cases now");
        anchors.MapDelete("/", CloseAsync).Needs(KeyScope.Admin).WithSummary("Give the frozen cases up");
    }

    static async Task<Ok<AnchorsView>> GetAsync(string name, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct, int limit = 50)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(await ViewAsync(store, metric, PageSize.Check(limit), clock, ct));
    }

    static async Task<Accepted<AnchorsView>> FreezeAsync(
        string name, Body<AnchorBody> body, HttpCaller caller, IFlywheelStore store, AnchorReplays replays, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        try
        {
            await replays.FreezeAsync(metric, body.Value.Size, body.Value.Author ?? caller.Actor, ct);
        }
        catch (AlignmentException error)
        {
            throw error.Field is { } field ? RequestException.BadField(field, error.Message) : new RequestException(RequestErrorKind.Conflict, error.Code, error.Message);
        }
        return TypedResults.Accepted($"/api/v1/metrics/{Uri.EscapeDataString(name)}/anchors", await ViewAsync(store, metric, 1, clock, ct));
    }

    static async Task<Accepted<AnchorsView>> ReplayAsync(string name, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        if (!await store.Anchors.AskAsync(caller.Project, metric.Id, ct))
            throw None(name);
        return TypedResults.Accepted($"/api/v1/metrics/{Uri.EscapeDataString(name)}/anchors", await ViewAsync(store, metric, 1, clock, ct));
    }

    static async Task<NoContent> CloseAsync(string name, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct, string? author = null)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return await store.Anchors.CloseAsync(caller.Project, metric.Id, author ?? caller.Actor, clock.GetUtcNow(), ct) ? TypedResults.NoContent() : throw None(name);
    }

    static async Task<AnchorsView> ViewAsync(IFlywheelStore store, Metric metric, int limit, TimeProvider clock, CancellationToken ct)
    {
        var set = await store.Anchors.FindAsync(metric.Project, metric.Id, ct) ?? throw None(metric.Name);
        var numbers = (await store.Metrics.VersionsAsync(metric.Project, metric.Name, ct)).ToDictionary(version => version.VersionId, version => version.Number);
        var replays = await store.Anchors.ReplaysAsync(metric.Project, set.Id, limit, ct);
        return new(
            metric.Name, set.Passes, set.Fails, set.Author, set.CreatedAt, set.Hours,
            set.ReplayedAt is null ? clock.GetUtcNow() : set.Hours == 0 ? null : set.ReplayedAt.Value.AddHours(set.Hours),
            [
                .. replays.Select(it => new ReplayView(
                    it.Id, Wire.Name(it.State), it.Done, it.Total, numbers.TryGetValue(it.MetricVersion, out var number) ? number : null, it.Baseline, it.Comparison,
                    it.Alarmed, it.CostUsd, it.Detail, it.StartedAt, it.EndedAt)),
            ]);
    }

    static RequestException None(string name) => RequestException.NotFound("anchors", $"The metric `{name}` has no anchors: POST /api/v1/metrics/{name}/anchors freezes some.");
}
