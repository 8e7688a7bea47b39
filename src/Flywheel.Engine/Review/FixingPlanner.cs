using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>Keeps the low scores and the unsure ones of each judge in the order of how likely a person would fail them.</summary>
/// <remarks>What it picks is for fixing: such labels find failures and carry no propensity (<see cref="LabelPlanner"/> draws those that
/// estimate).</remarks>
public sealed class FixingPlanner(IFlywheelStore store, ValidatorRegistry registry, ForecastReader reader, TimeProvider clock)
{
    /// <summary>Newest unlabelled items that are looked at.</summary>
    const int Candidates = 2_000;

    /// <summary>Items that are put in order; behind them stand the others, newest first.</summary>
    const int Ranked = 200;

    /// <summary>How long items that come wait behind the ordered ones, while no label tells anything new.</summary>
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    readonly ConcurrentDictionary<(ProjectId, MetricId), (Guid Label, SpanId Newest, DateTimeOffset At)> _seen = new();

    /// <returns>How many items were put in order.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var ranked = 0;
        foreach (var project in await store.Projects.ListAsync(ct))
            foreach (var metric in await store.Metrics.ListAsync(project.Id, ct))
                if (metric.State == MetricState.Active && registry.Find(metric.Validator.Kind)?.CallsModel == true)
                    ranked += await PlanAsync(project.Id, metric.Id, ct);
        return ranked;
    }

    /// <summary>Orders one metric's items anew when a label has come since, or items and some time.</summary>
    public async Task<int> PlanAsync(ProjectId project, MetricId metric, CancellationToken ct)
    {
        if ((await store.Labels.ListAsync(project, metric, 1, ct)) is not [var label]
            || await store.Review.UnlabelledAsync(project, metric, 1, ct) is not [var newest])
            return 0;
        if (_seen.TryGetValue((project, metric), out var seen) && seen.Label == label.Id
            && (seen.Newest == newest || clock.GetUtcNow() - seen.At < Pause))
            return 0;
        var labelled = await reader.LabelledAsync(project, metric, ct);
        var spans = await store.Review.UnlabelledAsync(project, metric, Candidates, ct);
        var items = await reader.ItemsAsync(project, metric, spans, ct);
        var waiting = spans.Where(items.ContainsKey).ToArray();
        var order = FixingOrder.Of(labelled.Items, labelled.Failed, [.. waiting.Select(span => items[span].Item)]);
        if (order is not null)
            await store.Review.RankAsync(
                project, metric,
                [.. order.Take(Ranked).Select(it => new ReviewPick(
                    waiting[it.Index], metric,
                    items[waiting[it.Index]].Outcome == Outcome.Unsure ? ReviewReason.Unsure : ReviewReason.LowScore,
                    FormattableString.Invariant($"{it.Chance:0%} likely a failure, by what people said of items like it"),
                    Math.Clamp(it.Chance, 1e-5, 1), null))],
                clock.GetUtcNow(), ct);
        _seen[(project, metric)] = (label.Id, newest, clock.GetUtcNow());
        return Math.Min(Ranked, order?.Count ?? 0);
    }
}
