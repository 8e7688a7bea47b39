using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging.Aligning;
using Flywheel.Server.Api;
using Flywheel.Server.Features.Metrics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Judging;

/// <param name="Labels">The newest so many blind labels are looked at, 40 to 2,000.</param>
/// <param name="Model">Who distils rules; left out: the metric's own judge.</param>
/// <param name="Reference">Path of a reference answer in spans' attributes; left out: a usual one that nearly all labelled spans have.</param>
/// <param name="DryRun">Only says what the search would do and cost.</param>
public sealed record AlignBody(
    int Labels = AlignmentRequest.UsualLabels, string? Model = null, string? Reference = null, bool DryRun = false, string? Author = null);

/// <summary>A search for a better judge.</summary>
/// <param name="Done">Of <paramref name="Total"/> steps; those whose answers are kept pass quickly when a search goes on.</param>
/// <param name="WaitsUntil">Null unless it waits, for a budget or after a fault; <paramref name="Detail"/> says why.</param>
/// <param name="Proposal">Id of the proposal that it ended with; null for none.</param>
/// <param name="Result">What it found; null until it ends.</param>
public sealed record AlignmentRunView(
    long Id, string Metric, string State, int Done, int Total, double CostUsd, string? Detail, DateTimeOffset? WaitsUntil, long? Proposal, string Author,
    DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, JsonElement? Result)
{
    public static AlignmentRunView Of(AlignmentRun it, string metric) => new(
        it.Id, metric, Wire.Name(it.State), it.Done, it.Total, it.CostUsd, it.Detail,
        it is { State: AlignmentState.Running, Worker: null, Detail: not null } ? it.VisibleAt : null, it.Proposal, it.Author, it.CreatedAt, it.EndedAt,
        it.Result is { } result ? JsonElement.Parse(result) : null);
}

/// <param name="Note">Why nothing began; null when something did.</param>
public sealed record AlignView(AlignmentOutlook Outlook, AlignmentRunView? Run, string? Note);

public sealed record AlignmentRunList(IReadOnlyList<AlignmentRunView> Runs);

static class AlignEndpoints
{
    public static void MapAlign(this IEndpointRouteBuilder api)
    {
        var align = api.MapGroup("/metrics/{name}/align").WithTags("Judging");
        align.MapPost("/", BeginAsync).Needs(KeyScope.Admin).WithSummary("Look for a better judge; one that later labels bear out becomes a proposal");
        align.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Searches for a better judge, newest first, with progress and results");
    }

    static async Task<Results<Ok<AlignView>, Accepted<AlignView>>> BeginAsync(
        string name, Body<AlignBody> body, HttpCaller caller, IFlywheelStore store, JudgeAlignment alignment, CancellationToken ct)
    {
        var it = body.Value;
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var request = new AlignmentRequest(it.Labels, it.Model, it.Reference);
        try
        {
            if (it.DryRun)
                return TypedResults.Ok(Outlook(await alignment.LookAsync(metric, request, ct), null));
            var (outlook, run) = await alignment.BeginAsync(metric, request, it.Author ?? caller.Actor, ct);
            return run is null
                ? TypedResults.Ok(Outlook(outlook, null))
                : TypedResults.Accepted($"/api/v1/metrics/{Uri.EscapeDataString(name)}/align", Outlook(outlook, AlignmentRunView.Of(run, name)));
        }
        catch (AlignmentException error)
        {
            throw error.Field is { } field ? RequestException.BadField(field, error.Message) : new RequestException(RequestErrorKind.Conflict, error.Code, error.Message);
        }
    }

    public static AlignView Outlook(AlignmentOutlook outlook, AlignmentRunView? run) =>
        new(outlook, run, outlook.Missing > 0 ? JudgeAlignment.NotEnough(outlook) : null);

    static async Task<Ok<AlignmentRunList>> ListAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct, int limit = 20)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        return TypedResults.Ok(new AlignmentRunList(
            [.. (await store.Alignments.ListAsync(caller.Project, metric.Id, PageSize.Check(limit), ct)).Select(run => AlignmentRunView.Of(run, name))]));
    }
}
