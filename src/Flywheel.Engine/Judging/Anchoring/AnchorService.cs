using Flywheel.Core;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging.Anchoring;

/// <summary>Frozen cases of a metric's judge.</summary>
/// <param name="NextAt">When the next replay is due; null for never.</param>
/// <param name="Replays">Newest first.</param>
/// <param name="Versions">Numbers of the metric's versions.</param>
public sealed record MetricAnchors(
    Metric Metric, AnchorSet Set, DateTimeOffset? NextAt, IReadOnlyList<AnchorReplay> Replays,
    IReadOnlyDictionary<MetricVersionId, int> Versions);

/// <summary>Freezes cases of a metric's judge, asks for replays and gives them up.</summary>
public sealed class AnchorService(IMetricStore metrics, IAlignmentStore alignments, IAnchorStore anchors, TimeProvider clock)
{
    /// <summary>Labels among which cases are looked for.</summary>
    const int MostLabels = 2_000;

    /// <param name="limit">Number of replays, 1 to <see cref="PageSize.Max"/>.</param>
    public async Task<MetricAnchors> GetAsync(Caller caller, string metric, int limit, CancellationToken ct) =>
        await AnchorsAsync(await metrics.GetAsync(caller.Project, metric, ct), PageSize.Check(limit), ct);

    /// <summary>Freezes cases; the first replay, which is due at once, keeps what the judge says of them now.</summary>
    /// <exception cref="RequestException">The metric is no judge, or there are too few labels.</exception>
    public async Task<MetricAnchors> FreezeAsync(Caller caller, string metric, int size, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        if (found.Validator.Kind != "judge")
            throw new RequestException(RequestErrorKind.Conflict, "not_a_judge",
                $"`{found.Name}` is decided by `{found.Validator.Kind}`: only metrics of kind `judge` have anchors.");
        if (size is < AnchorSet.Least or > AnchorSet.Most)
            throw RequestException.BadField("size", $"`size` is {size}: use {AnchorSet.Least} to {AnchorSet.Most}.");
        var cases = AnchorChoice.Of(await alignments.CasesAsync(found.Project, found.Id, null, MostLabels, ct), size);
        if (cases.Count < AnchorSet.Least)
            throw new RequestException(RequestErrorKind.Conflict, "not_enough_labels",
                $"not enough labels: about {AnchorSet.Least - cases.Count} more blind labels of other traces (there are {cases.Count} to "
                    + "freeze).");
        await anchors.FreezeAsync(found, cases, caller.Actor, clock.GetUtcNow(), ct);
        return await AnchorsAsync(found, 1, ct);
    }

    /// <summary>Makes a replay due at once.</summary>
    public async Task<MetricAnchors> ReplayAsync(Caller caller, string metric, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        return await anchors.AskAsync(caller.Project, found.Id, ct) ? await AnchorsAsync(found, 1, ct) : throw None(metric);
    }

    /// <summary>Gives the frozen cases up.</summary>
    public async Task CloseAsync(Caller caller, string metric, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        if (!await anchors.CloseAsync(caller.Project, found.Id, caller.Actor, clock.GetUtcNow(), ct))
            throw None(metric);
    }

    async Task<MetricAnchors> AnchorsAsync(Metric metric, int limit, CancellationToken ct)
    {
        var set = await anchors.FindAsync(metric.Project, metric.Id, ct) ?? throw None(metric.Name);
        var versions = await metrics.VersionsAsync(metric.Project, metric.Name, ct);
        return new(
            metric, set, set.ReplayedAt is not { } last ? clock.GetUtcNow() : set.Hours == 0 ? null : last.AddHours(set.Hours),
            await anchors.ReplaysAsync(metric.Project, set.Id, limit, ct),
            versions.ToDictionary(version => version.VersionId, version => version.Number));
    }

    static RequestException None(string metric) => RequestException.NotFound(
        "anchors", $"The metric `{metric}` has no anchors: POST /api/v1/metrics/{metric}/anchors freezes some.");
}
