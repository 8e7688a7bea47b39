using System.Text.Json;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging.Aligning;

namespace Flywheel.Server.Features.Judging;

/// <param name="Labels">The newest so many blind labels are looked at, 40 to 2,000.</param>
/// <param name="Model">Who distils rules; left out: the metric's own judge.</param>
/// <param name="Reference">Path of a reference answer in spans' attributes; left out: a usual one that nearly all labelled spans
/// have.</param>
/// <param name="DryRun">Only says what the search would do and cost.</param>
public sealed record AlignBody(
    int Labels = AlignmentRequest.UsualLabels, string? Model = null, string? Reference = null, bool DryRun = false, string? Author = null)
{
    public AlignmentRequest Request() => new(Labels, Model, Reference);
}

/// <summary>A search for a better judge.</summary>
/// <param name="Done">Of <paramref name="Total"/> steps; those whose answers are kept pass quickly when a search goes on.</param>
/// <param name="WaitsUntil">Null unless it waits, for a budget or after a fault; <paramref name="Detail"/> says why.</param>
/// <param name="Proposal">Id of the proposal that it ended with; null for none.</param>
/// <param name="Result">What it found; null until it ends.</param>
public sealed record AlignmentRunView(
    long Id, string Metric, string State, int Done, int Total, double CostUsd, string? Detail, DateTimeOffset? WaitsUntil, long? Proposal,
    string Author, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt, JsonElement? Result)
{
    public static AlignmentRunView Of(AlignmentRun it, string metric) => new(
        it.Id, metric, Wire.Name(it.State), it.Done, it.Total, it.CostUsd, it.Detail,
        it is { State: AlignmentState.Running, Worker: null, Detail: not null } ? it.VisibleAt : null, it.Proposal, it.Author, it.CreatedAt,
        it.EndedAt, it.Result is { } result ? JsonElement.Parse(result) : null);
}

/// <param name="Note">Why nothing began; null when something did.</param>
public sealed record AlignView(AlignmentOutlook Outlook, AlignmentRunView? Run, string? Note)
{
    public static AlignView Of(AlignmentOutlook outlook, AlignmentRun? run) =>
        new(outlook, run is null ? null : AlignmentRunView.Of(run, outlook.Metric), outlook.NotEnough);
}

public sealed record AlignmentRunList(IReadOnlyList<AlignmentRunView> Runs);
