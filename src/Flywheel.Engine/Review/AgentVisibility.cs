using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>What an agent may see of the loop: everything but what is kept from people who are still to label blind.</summary>
/// <remarks>An agent that knew the judge's verdict of a blind item could pass it on; reading for an agent changes nothing of how items are
/// served.</remarks>
public sealed class AgentVisibility(IFlywheelStore store, ValidatorRegistry registry)
{
    public bool IsJudge(Metric metric) => registry.Find(metric.Validator.Kind)?.CallsModel == true;

    /// <summary>Pairs of these spans that are, or would be, put before people blind, and that people have not settled.</summary>
    public async Task<BlindPairs> BlindAsync(ProjectId project, IReadOnlyList<Span> spans, CancellationToken ct)
    {
        SpanId[] ids = [.. spans.Select(span => span.Id).Distinct()];
        return new BlindPairs(
            (await store.Projects.GetAsync(project, ct))!.BlindShare,
            (await store.Serving.OfSpansAsync(project, ids, ct))
                .ToDictionary(served => new ReviewPair(served.Span, served.Metric), served => served.Mode),
            [.. await store.Review.DrawnAsync(project, ids, ct)],
            (await store.Labels.OfSpansAsync(project, ids, ct)).ToLookup(label => new ReviewPair(label.Span, label.Metric)));
    }

    /// <summary>A page of the queue as an agent reads it.</summary>
    /// <remarks>Blind items that stand there for what a judge said, and all blind ones under a reason that tells it, are left
    /// out.</remarks>
    public async Task<(IReadOnlyList<ServedItem> Items, string? Next)> QueueAsync(
        ProjectId project, ReviewFilter filter, CancellationToken ct)
    {
        var page = await store.Review.ListAsync(project, filter, ct);
        SpanId[] ids = [.. page.Items.Select(item => item.Span).Distinct()];
        var blind = await BlindAsync(project, await store.Spans.GetAsync(project, ids, ct), ct);
        var metrics = (await store.Metrics.ListAsync(project, ct)).ToDictionary(metric => metric.Name);
        var judges = metrics.Values.Where(IsJudge).ToDictionary(metric => metric.Name);
        var proposals = (await store.ProposedLabels.OfSpansAsync(project, ids, ct)).ToLookup(each => (each.Span, each.Metric));
        var verdicts = (await store.Verdicts.CurrentAsync(project, ids, ct))
            .Where(verdict => verdict.Finding.Outcome is Outcome.Pass or Outcome.Fail)
            .ToDictionary(verdict => (verdict.Span, verdict.Metric));
        var items = new List<ServedItem>();
        foreach (var item in page.Items)
        {
            if (item.Metric is null)
                items.Add(new(item, null, null, []));
            else if (item.Reason != ReviewReason.Adjudicate && !blind.Contains(item.Span, item.Key, metrics[item.Metric]))
            {
                var word = ReviewServing.WordOn(item, judges, verdicts, proposals);
                items.Add(new(item, word is null ? null : ServedMode.Suggested, word, [.. proposals[(item.Span, item.MetricId)]]));
            }
            else if (item.Reason is ReviewReason.Adjudicate or ReviewReason.RandomAudit or ReviewReason.Informative)
                items.Add(new(item with { Detail = ReviewServing.WithheldDetail, Priority = Math.Min(item.Priority, 1) }, ServedMode.Blind,
                    null, []));
            else if (!judges.ContainsKey(item.Metric))
                // What code found is no suggestion: everybody sees it.
                items.Add(new(item, null, null, []));
        }
        return (items, page.Next);
    }
}

/// <summary>Answers for the spans that it was made for.</summary>
public sealed class BlindPairs
{
    readonly double _share;
    readonly Dictionary<ReviewPair, ServedMode> _served;
    readonly HashSet<ReviewPair> _drawn;
    readonly ILookup<ReviewPair, Label> _labels;

    internal BlindPairs(double share, Dictionary<ReviewPair, ServedMode> served, HashSet<ReviewPair> drawn,
        ILookup<ReviewPair, Label> labels) =>
        (_share, _served, _drawn, _labels) = (share, served, drawn, labels);

    public bool Contains(SpanId span, SpanKey key, Metric metric)
    {
        var pair = new ReviewPair(span, metric.Id);
        var blind = _served.TryGetValue(pair, out var mode)
            ? mode == ServedMode.Blind
            : _drawn.Contains(pair) || ReviewServing.IsBlindByDraw(metric.Name, key, _share);
        return blind && !IsSettled(_labels[pair], metric.LabelsPerItem);
    }

    /// <summary>As many people as are asked have answered, and they do not stand even.</summary>
    static bool IsSettled(IEnumerable<Label> labels, int asked)
    {
        var said = labels.Where(label => label.Mode == LabelMode.Blind).ToArray();
        if (said.Any(label => label.Adjudicates))
            return true;
        var votes = said.GroupBy(label => label.Author).Select(own => own.MaxBy(label => label.CreatedAt)!.Passed).ToArray();
        return votes.Length >= asked && votes.Count(passed => passed) * 2 != votes.Length;
    }
}
