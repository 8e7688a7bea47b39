using Flywheel.Core;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Jobs;

/// <param name="Since">Only spans that started at or after this time; null for all.</param>
/// <param name="Limit">Number of pairs of span and metric after which it ends; null for no end.</param>
public sealed record BackfillRequest(DateTimeOffset? Since = null, long? Limit = null);

/// <summary>How far a back-fill is.</summary>
/// <param name="Waiting">Jobs of this metric version that wait.</param>
public sealed record BackfillProgress(Metric Metric, Backfill Backfill, long Waiting);

/// <summary>Lets a metric check past spans.</summary>
public sealed class BackfillService(IMetricStore metrics, IBackfillStore backfills, TimeProvider clock)
{
    /// <summary>Begins a back-fill of the current version; a repeat has no second effect.</summary>
    public async Task<BackfillProgress> BeginAsync(Caller caller, string name, BackfillRequest request, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        if (metric.State == MetricState.Retired)
            throw new RequestException(RequestErrorKind.Conflict, "metric_retired",
                $"`{name}` is retired: activate it first, POST /api/v1/metrics/{name}/state.", "state");
        if (metric.Validator.Kind == ValidatorSpec.External)
            throw new RequestException(RequestErrorKind.Conflict, "judged_elsewhere",
                $"`{name}` is judged elsewhere: its outcomes come in as `gen_ai.evaluation.result`, there is nothing to run.");
        if (request.Limit is < 1)
            throw RequestException.BadField("limit", "`limit` must be 1 or more; leave it out for all spans.");
        await backfills.BeginAsync(caller.Project, metric.VersionId, request.Since, request.Limit, caller.Actor, clock.GetUtcNow(), ct);
        return await ProgressAsync(metric, ct);
    }

    public async Task<BackfillProgress> GetAsync(Caller caller, string name, CancellationToken ct) =>
        await ProgressAsync(await metrics.GetAsync(caller.Project, name, ct), ct);

    async Task<BackfillProgress> ProgressAsync(Metric metric, CancellationToken ct)
    {
        var fill = await backfills.FindAsync(metric.Project, metric.VersionId, ct)
            ?? throw RequestException.NotFound("backfill",
                $"`{metric.Name}` has no back-fill in its version {metric.Number}: "
                + $"POST /api/v1/metrics/{metric.Name}/backfill begins one.");
        return new(metric, fill, await backfills.WaitingAsync(metric.Project, metric.VersionId, ct));
    }
}
