using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging.Anchoring;

namespace Flywheel.Server.Features.Judging;

/// <param name="Size">How many cases, 50 to 100.</param>
public sealed record AnchorBody(int Size = AnchorSet.Usual, string? Author = null);

/// <summary>All frozen cases asked about once.</summary>
/// <param name="ComparedWith">Id of the replay that it was compared with; null for one that later ones are compared with.</param>
/// <param name="Comparison">Null until it was compared.</param>
public sealed record ReplayView(
    long Id, string State, int Done, int Total, int? MetricVersion, long? ComparedWith, AnchorComparison? Comparison, bool Alarmed,
    double CostUsd, string? Detail, DateTimeOffset StartedAt, DateTimeOffset? EndedAt)
{
    public static ReplayView Of(AnchorReplay it, IReadOnlyDictionary<MetricVersionId, int> versions) => new(
        it.Id, Wire.Name(it.State), it.Done, it.Total, versions.TryGetValue(it.MetricVersion, out var number) ? number : null, it.Baseline,
        it.Comparison, it.Alarmed, it.CostUsd, it.Detail, it.StartedAt, it.EndedAt);
}

/// <param name="Passes">Frozen cases that people passed.</param>
/// <param name="EveryHours">As the project sets it; 0 for no replays but those that are asked for.</param>
/// <param name="NextAt">When the next replay is due; null for never.</param>
/// <param name="Replays">Newest first.</param>
public sealed record AnchorsView(
    string Metric, int Passes, int Fails, string Author, DateTimeOffset FrozenAt, int EveryHours, DateTimeOffset? NextAt,
    IReadOnlyList<ReplayView> Replays)
{
    public static AnchorsView Of(MetricAnchors it) => new(
        it.Metric.Name, it.Set.Passes, it.Set.Fails, it.Set.Author, it.Set.CreatedAt, it.Set.Hours, it.NextAt,
        [.. it.Replays.Select(replay => ReplayView.Of(replay, it.Versions))]);
}
