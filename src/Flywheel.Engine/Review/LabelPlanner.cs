using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Statistics;

namespace Flywheel.Engine.Review;

/// <summary>Draws the judged items from whose labels true rates are estimated, and keeps the chance of each.</summary>
/// <remarks>
/// <see cref="LabelDraw"/> has the method. A judge's verdicts are considered in batches as they come, each pair once: the even audit drew
/// its
/// share when the verdict was made, this adds the rest while the queue has room. Until then pairs wait to be considered.
/// </remarks>
public sealed class LabelPlanner(IFlywheelStore store, ValidatorRegistry registry, ForecastReader reader, TimeProvider clock)
{
    /// <summary>Drawn items of one metric that wait for people at most.</summary>
    const int Stock = 25;

    /// <summary>Verdicts that are considered together, at most and (for <see cref="LongestWait"/>) at least.</summary>
    const int Most = 5_000, Least = 50;

    static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    /// <summary>Share of a batch that people are asked about, at most.</summary>
    const double MostShare = 0.2;

    /// <returns>How many items were drawn.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var drawn = 0;
        foreach (var project in await store.Projects.ListAsync(ct))
            foreach (var metric in await store.Metrics.ListAsync(project.Id, ct))
                if (metric.State == MetricState.Active && registry.Find(metric.Validator.Kind)?.CallsModel == true)
                    drawn += await PlanAsync(project, metric, ct);
        return drawn;
    }

    async Task<int> PlanAsync(Project project, Metric metric, CancellationToken ct)
    {
        if (await store.Review.CountUndrawnAsync(project.Id, metric.Id, ct) == 0)
            return 0;
        var open = await store.Review.ListAsync(
            project.Id, new ReviewFilter(Metric: metric.Name, Reason: ReviewReason.RandomAudit, Limit: Stock), ct);
        var room = Stock - open.Items.Count;
        if (room <= 0)
            return 0;
        var pending = await store.Review.UndrawnAsync(project.Id, metric.Id, Most, ct);
        if (pending.Count == 0 || pending.Count < Least && clock.GetUtcNow() - pending[0].At < LongestWait)
            return 0;
        // What has been considered under an earlier verdict keeps its chance, drawn or not.
        var fresh = pending.Where(pair => pair.Earlier is null).ToArray();
        var considered = pending.Where(pair => pair.Earlier is not null)
            .Select(pair => new ConsideredPair(pair.Span, pair.Earlier!.Value, null)).ToList();
        if (fresh.Length > 0)
            considered.AddRange(await DrawAsync(project, metric, fresh, room, ct));
        await store.Review.KeepDrawAsync(project.Id, metric.Id, considered, clock.GetUtcNow(), ct);
        return considered.Count(pair => pair.Place is not null);
    }

    async Task<IEnumerable<ConsideredPair>> DrawAsync(Project project, Metric metric, UndrawnPair[] pairs, int room, CancellationToken ct)
    {
        var all = Math.Max(pairs.Length, await store.Review.CountUndrawnAsync(project.Id, metric.Id, ct));
        var budget = Math.Min(room, Math.Ceiling(MostShare * all)) * pairs.Length / all;
        var alarmed = (await store.JudgeWatch.AlarmsAsync(project.Id, metric.Id, openOnly: true, 1, ct)).Count > 0;
        var audited = alarmed ? Math.Max(project.AuditRate, JudgeAlarm.RaisedAuditRate) : project.AuditRate;
        var cells = (await store.Metrics.CellsAsync(project.Id, metric.Id, ct))
            .Where(cell => cell.MetricVersion == metric.VersionId && cell is { Human: not null, Chance: >= 0 })
            .Select(cell => new VerdictCell(
                Verdict(cell.Outcome), null, cell.Count, cell.Human == true ? cell.Count : 0, cell.Human == false ? cell.Count : 0))
            .ToArray();
        var candidates = await CandidatesAsync(project.Id, metric.Id, pairs, ct);
        var chances = LabelDraw.Chances(candidates, cells, budget, audited);
        // The same pairs draw the same, and what they are has no part in it.
        var random = new Random(BinaryPrimitives.ReadInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(
            $"draw:{metric.Name}\n{pairs[0].Key.Trace}\n{pairs[0].Key.Span}\n{pairs.Length}"))));
        var drawn = LabelDraw.Draw(candidates, chances, audited, random).ToHashSet();
        return pairs.Select((pair, i) => new ConsideredPair(pair.Span, chances[i], drawn.Contains(i) ? 1 - random.NextDouble() : null));
    }

    async Task<DrawCandidate[]> CandidatesAsync(ProjectId project, MetricId metric, UndrawnPair[] pairs, CancellationToken ct)
    {
        var labelled = await reader.LabelledAsync(project, metric, ct);
        var items = await reader.ItemsAsync(project, metric, [.. pairs.Select(pair => pair.Span)], ct);
        var at = labelled.Spans.Index().ToDictionary(each => each.Item, each => each.Index);
        // An item's own label has no say in its chance: it is forecast from the half of the labels that it is not in.
        var forecasts = Enumerable.Range(0, 2).Select(half => Fit(labelled, half)).ToArray();
        var known = new NearestVectors([.. labelled.Items.Select(Joined)]);
        var empty = new float[2 * LexicalEmbedder.DefaultDimensions];
        return [.. pairs.Select(pair =>
        {
            var item = items.GetValueOrDefault(pair.Span).Item;
            var vector = item is null ? empty : Joined(item);
            var own = at.TryGetValue(pair.Span, out var place) ? place : -1;
            var nearest = known.Count == 0 ? [] : known.Find(vector, 1, own < 0 ? default : (own, own + 1));
            var fails = item is null ? null : forecasts[own < 0 ? pair.Span.Value % 2 : 1 - own % 2]?.Of(item);
            return new DrawCandidate(
                Verdict(pair.Outcome), 1 - (fails ?? 0.5), nearest.Length == 0 ? 1 : Math.Clamp(1 - nearest[0].Similarity, 0, 1), vector,
                pair.Audited);
        })];
    }

    /// <summary>Null where there are too few labels to tell anything.</summary>
    static FailureForecast? Fit(LabelledItems labelled, int half)
    {
        var rows = Enumerable.Range(0, labelled.Items.Count).Where(i => i % 2 == half).ToArray();
        var failed = rows.Select(i => labelled.Failed[i]).ToArray();
        return failed.Count(it => it) < FixingOrder.LeastOfEach || failed.Count(it => !it) < FixingOrder.LeastOfEach
            ? null
            : FailureForecast.Fit([.. rows.Select(i => labelled.Items[i])], failed);
    }

    static float[] Joined(ForecastItem item) => [.. item.Vectors.SelectMany(vector => vector.Select(x => x / MathF.Sqrt(2)))];

    static bool? Verdict(Outcome outcome) => outcome switch { Outcome.Pass => true, Outcome.Fail => false, _ => null };
}
