using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Evaluation;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Metrics;

/// <param name="Metric">As POST /api/v1/metrics takes it.</param>
/// <param name="Last">Newest spans to look at, 1 to 2,000.</param>
/// <param name="Nodes">Names of nodes whose spans are looked at; left out means those of the metric, else all.</param>
/// <param name="AskModels">Model calls that this preview may make, 0 to 50; 0 only estimates their cost.</param>
public sealed record PreviewBody(MetricBody Metric, int Last = 200, IReadOnlyList<string>? Nodes = null, int AskModels = 0);

public sealed record PreviewExampleView(string TraceId, string SpanId, string Node, string? Text, string Outcome, double? Score, string? Reason);

/// <param name="PassRate">Passes of passes and fails among the spans looked at.</param>
/// <param name="Calls">Spans for which a model would be asked.</param>
/// <param name="EstimatedUsd">What those calls should cost at most.</param>
public sealed record PreviewView(
    string Name, string Criterion, int Spans, IReadOnlyDictionary<string, int> Outcomes, Rate PassRate, IReadOnlyDictionary<string, int> SkippedBecause,
    int Calls, double EstimatedUsd, double? EstimatedUsdPer1000Spans, double SpentUsd, double MillisecondsASpan, IReadOnlyList<PreviewExampleView> Examples)
{
    public static PreviewView Of(PreviewResult result) => new(
        result.Metric.Name, result.Metric.Criterion, result.Spans, result.Outcomes.ToDictionary(each => Wire.Name(each.Key), each => each.Value),
        Rate.Of(result.Outcomes[Outcome.Pass], result.Outcomes[Outcome.Pass] + result.Outcomes[Outcome.Fail]), result.SkippedBecause, result.Calls,
        result.EstimatedUsd, result.Spans == 0 ? null : 1000 * result.EstimatedUsd / result.Spans, result.SpentUsd, Math.Round(result.MillisecondsASpan, 4),
        [.. result.Examples.Select(each => new PreviewExampleView(
            each.Span.Trace, each.Span.Span, each.Node, each.Text, Wire.Name(each.Outcome), each.Score, each.Reason))]);
}

/// <param name="Since">Only spans that started at or after this time.</param>
/// <param name="Limit">Ends after so many pairs of span and metric.</param>
public sealed record BackfillBody(DateTimeOffset? Since = null, long? Limit = null, string? Author = null);

/// <param name="State"><c>running</c> while past spans are walked, <c>working</c> while their jobs wait, then <c>done</c>.</param>
/// <param name="Total">Spans that there were at its start; <paramref name="Looked"/> of them have been looked at.</param>
/// <param name="Waiting">Jobs of this metric version that wait.</param>
public sealed record BackfillView(
    string Metric, int Version, string State, DateTimeOffset? Since, long? Limit, long Total, long Looked, long Queued, long Skipped, long Waiting,
    DateTimeOffset StartedAt, DateTimeOffset? FinishedAt, string Author)
{
    public static BackfillView Of(Metric metric, Backfill fill, long waiting) => new(
        metric.Name, metric.Number, fill.FinishedAt is null ? "running" : waiting > 0 ? "working" : "done", fill.Since, fill.Wanted, fill.Total, fill.Looked,
        fill.Queued, fill.Skipped, waiting, fill.CreatedAt, fill.FinishedAt, fill.Author);
}

static class PreviewEndpoints
{
    public static void MapPreviews(this IEndpointRouteBuilder api)
    {
        var metrics = api.MapGroup("/metrics").WithTags("Metrics");
        metrics.MapPost("/preview", PreviewAsync).Needs(KeyScope.Admin).WithSummary("What a metric would have said of the newest spans, and what it would cost");
        metrics.MapPost("/{name}/backfill", BackfillAsync).Needs(KeyScope.Admin).WithSummary("Check past spans too; again has no second effect");
        metrics.MapGet("/{name}/backfill", ProgressAsync).Needs(KeyScope.Read).WithSummary("How far a metric's back-fill is");
    }

    static async Task<Ok<PreviewView>> PreviewAsync(
        Body<PreviewBody> body, HttpCaller caller, IFlywheelStore store, MetricPreview preview, MetricRules rules, CancellationToken ct)
    {
        var metric = MetricEndpoints.Read(body.Value.Metric, body.Value.Metric.Name ?? "preview", caller.Actor, rules);
        var spans = await store.Spans.NewestAsync(caller.Project, body.Value.Nodes ?? metric.Nodes, Last(body.Value.Last), ct);
        return TypedResults.Ok(PreviewView.Of(await preview.OfAsync(caller.Project, metric, spans, AskModels(body.Value.AskModels), ct)));
    }

    static async Task<Ok<BackfillView>> BackfillAsync(
        string name, Body<BackfillBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        if (metric.State == MetricState.Retired)
            throw new RequestException(RequestErrorKind.Conflict, "metric_retired", $"`{name}` is retired: activate it first, POST /api/v1/metrics/{name}/state.", "state");
        if (metric.Validator.Kind == ValidatorSpec.External)
            throw new RequestException(RequestErrorKind.Conflict, "judged_elsewhere", $"`{name}` is judged elsewhere: its outcomes come in as `gen_ai.evaluation.result`, there is nothing to run.");
        if (body.Value.Limit is < 1)
            throw RequestException.BadField("limit", "`limit` must be 1 or more; leave it out for all spans.");
        await store.Backfills.BeginAsync(
            caller.Project, metric.VersionId, body.Value.Since, body.Value.Limit, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        return await ProgressAsync(name, caller, store, ct);
    }

    static async Task<Ok<BackfillView>> ProgressAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var metric = await MetricEndpoints.FindAsync(store, caller.Project, name, ct);
        var fill = await store.Backfills.FindAsync(caller.Project, metric.VersionId, ct)
            ?? throw RequestException.NotFound("backfill", $"`{name}` has no back-fill in its version {metric.Number}: POST /api/v1/metrics/{name}/backfill begins one.");
        return TypedResults.Ok(BackfillView.Of(metric, fill, await store.Backfills.WaitingAsync(caller.Project, metric.VersionId, ct)));
    }

    internal static int Last(int last) => last is >= 1 and <= 2_000 ? last : throw RequestException.BadField("last", "`last` must be from 1 to 2000 spans.");

    internal static int AskModels(int calls) => calls is >= 0 and <= 50 ? calls : throw RequestException.BadField("ask_models", "`ask_models` must be from 0 to 50 calls.");
}
