using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>What the judge would answer, or whoever proposed a label, for a person to accept or change.</summary>
/// <param name="Confidence">Probability that a person would agree, null until calibrated; of a proposal, what its author says.</param>
/// <param name="Author">Who proposed it; null when the metric's judge said it.</param>
public sealed record Suggestion(Outcome Verdict, string? Critique, double? Confidence, string ValidatorVersion, string? Author = null)
{
    /// <summary>As the judge gave it.</summary>
    public double? RawConfidence { get; init; }
}

/// <param name="Mode">Null when there is nothing to show or to withhold.</param>
/// <param name="Suggestion">Null unless the item is served with one: the judge's word, else the newest proposal.</param>
/// <param name="Proposals">All proposals about the item, newest first; empty unless it is served with a suggestion.</param>
public sealed record ServedItem(ReviewItem Item, ServedMode? Mode, Suggestion? Suggestion, IReadOnlyList<ProposedLabel> Proposals);

/// <summary>Puts the judge's word beside the items of the review queue, and withholds it from a known share of them.</summary>
/// <remarks>
/// Whether a pair is blind is drawn from its ids, so it is the same for everybody and every time, and random audits are always blind:
/// suggestions shift what people say and flatter the judge (arXiv 2507.15821). Suggestions are judges' verdicts and labels that somebody
/// proposed; both are withheld from blind items.
/// </remarks>
public sealed class ReviewServing(IFlywheelStore store, ValidatorRegistry registry, TimeProvider clock)
{
    internal const string WithheldDetail = "served blind: what the judge said is withheld";

    /// <param name="blind">Serves everything without suggestions; items that were served with one before are left out.</param>
    public async Task<IReadOnlyList<ServedItem>> ServeAsync(
        ProjectId project, IReadOnlyList<ReviewItem> items, bool blind, CancellationToken ct)
    {
        await store.Review.ShownAsync(
            project, [.. items.Where(item => item.Metric is not null).Select(item => new ReviewPair(item.Span, item.MetricId))],
            clock.GetUtcNow(), ct);
        var judges = (await store.Metrics.ListAsync(project, ct))
            .Where(metric => registry.Find(metric.Validator.Kind)?.CallsModel == true).ToDictionary(metric => metric.Name);
        var named = items.Where(item => item.Metric is not null).ToArray();
        var proposals = (await store.ProposedLabels.OfSpansAsync(project, [.. named.Select(item => item.Span).Distinct()], ct))
            .ToLookup(each => (each.Span, each.Metric));
        var about = named.Where(item => judges.ContainsKey(item.Metric!) || proposals.Contains((item.Span, item.MetricId))).ToArray();
        if (about.Length == 0)
            return [.. items.Select(item => new ServedItem(item, null, null, []))];

        var share = blind ? 1 : (await store.Projects.GetAsync(project, ct))!.BlindShare;
        var verdicts = (await store.Verdicts.CurrentAsync(
            project, [.. about.Where(item => judges.ContainsKey(item.Metric!)).Select(item => item.Span).Distinct()], ct))
            .Where(verdict => verdict.Finding.Outcome is Outcome.Pass or Outcome.Fail)
            .ToDictionary(verdict => (verdict.Span, verdict.Metric));
        var words = new Dictionary<(SpanId, MetricId), Suggestion>();
        foreach (var item in about)
            if (WordOn(item, judges, verdicts, proposals) is { } word)
                words[(item.Span, item.MetricId)] = word;
        var served = (await store.Serving.ServeAsync(
            project,
            [.. about.Where(item => words.ContainsKey((item.Span, item.MetricId))).DistinctBy(item => (item.Span, item.MetricId))
                .Select(item => new Served(
                item.Span, item.MetricId, ModeOf(item, share), words[(item.Span, item.MetricId)].ValidatorVersion,
                words[(item.Span, item.MetricId)].Verdict))],
            clock.GetUtcNow(), ct)).ToDictionary(each => (each.Span, each.Metric));
        return [.. items.Select(item => item.Metric is not null && served.TryGetValue((item.Span, item.MetricId), out var how)
            ? Show(item, how, words[(item.Span, item.MetricId)], [.. proposals[(item.Span, item.MetricId)]])
            // Why a judge could not decide may tell what it leaned to.
            : new ServedItem(blind && item.Metric is { } name && judges.ContainsKey(name) ? item with { Detail = WithheldDetail } : item,
                null, null, []))
            .Where(item => !blind || item.Mode != ServedMode.Suggested)];
    }

    /// <summary>The judge's decided verdict, else the newest proposal.</summary>
    internal static Suggestion? WordOn(
        ReviewItem item, Dictionary<string, Metric> judges, Dictionary<(SpanId, MetricId), Verdict> verdicts, ILookup<(SpanId, MetricId),
        ProposedLabel> proposals) =>
        judges.ContainsKey(item.Metric!) && verdicts.TryGetValue((item.Span, item.MetricId), out var verdict)
            ? new(verdict.Finding.Outcome, verdict.Finding.Reason, verdict.Finding.Confidence,
                verdict.ValidatorVersion) { RawConfidence = verdict.Finding.RawConfidence }
            : proposals[(item.Span, item.MetricId)].FirstOrDefault() is { } proposal
                ? new(proposal.Passed ? Outcome.Pass : Outcome.Fail, proposal.Critique, proposal.Confidence,
                    Served.ByProposal + proposal.Author, proposal.Author)
                : null;

    /// <summary>The mode of a label by how its item was served.</summary>
    /// <param name="claimed">What the caller says; null leaves it to the record.</param>
    /// <exception cref="RequestException">The claim contradicts the record: code <c>mode_conflict</c>.</exception>
    public async Task<LabelMode> ModeAsync(
        ProjectId project, SpanId span, MetricId metric, LabelMode? claimed, bool passed, CancellationToken ct)
    {
        if (await store.Serving.FindAsync(project, span, metric, ct) is not { } served)
            return claimed ?? LabelMode.Blind;
        if (served.Mode == ServedMode.Blind)
            return claimed is null or LabelMode.Blind
                ? LabelMode.Blind
                : throw ModeConflict(
                    $"`mode` is {Wire.Name(claimed.Value)}, but the item was served blind: there was nothing to accept or edit. Leave "
                        + "`mode` out or send blind.");
        var fits = passed == (served.Suggestion == Outcome.Pass) ? LabelMode.Accepted : LabelMode.Edited;
        return claimed switch
        {
            null => fits,
            LabelMode.Blind => throw ModeConflict(
                "`mode` is blind, but the item was served with the judge's suggestion: it can be accepted or edited only. Leave `mode` "
                    + $"out or send {Wire.Name(fits)}."),
            // Whoever keeps the verdict may still have changed the critique.
            LabelMode.Accepted when fits == LabelMode.Edited => throw ModeConflict(
                $"`mode` is accepted, but the judge suggested {Wire.Name(served.Suggestion)}: send edited, or leave `mode` out."),
            { } said => said,
        };
    }

    static RequestException ModeConflict(string message) => new(RequestErrorKind.Conflict, "mode_conflict", message, "mode");

    static ServedMode ModeOf(ReviewItem item, double share) =>
        item.Propensity is not null || item.Reason == ReviewReason.Adjudicate
            || IsBlindByDraw(item.Metric!, item.Key, share) ? ServedMode.Blind : ServedMode.Suggested;

    internal static bool IsBlindByDraw(string metric, SpanKey key, double share) => Applicability.Draw("blind:" + metric, key) < share;

    /// <summary>A blind item's reason, detail and place in the queue would tell what the judge said.</summary>
    static ServedItem Show(ReviewItem item, Served how, Suggestion word, IReadOnlyList<ProposedLabel> proposals) =>
        how.Mode == ServedMode.Suggested
        ? new(item, how.Mode, word with { ValidatorVersion = how.ValidatorVersion }, proposals)
        : new(item with { Detail = WithheldDetail, Priority = Math.Min(item.Priority, 1) }, how.Mode, null, []);
}
