using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Engine.Metrics;

namespace Flywheel.Engine.Review;

/// <summary>What the judge would answer, for a person to accept or change.</summary>
/// <param name="Confidence">Probability that a person would agree; null until calibrated.</param>
public sealed record Suggestion(Outcome Verdict, string? Critique, double? Confidence, string ValidatorVersion)
{
    /// <summary>As the judge gave it.</summary>
    public double? RawConfidence { get; init; }
}

/// <param name="Mode">Null when there is no judge's verdict to show or to withhold.</param>
/// <param name="Suggestion">Null unless the item is served with one.</param>
public sealed record ServedItem(ReviewItem Item, ServedMode? Mode, Suggestion? Suggestion);

/// <summary>A label's mode does not fit how its item was served.</summary>
public sealed class ModeConflictException(string message) : Exception(message);

/// <summary>Puts the judge's word beside the items of the review queue, and withholds it from a known share of them.</summary>
/// <remarks>
/// Whether a pair is blind is drawn from its ids, so it is the same for everybody and every time, and random audits are always blind:
/// suggestions shift what people say and flatter the judge (arXiv 2507.15821). Only judges' verdicts are suggestions.
/// </remarks>
public sealed class ReviewServing(IFlywheelStore store, ValidatorRegistry registry, TimeProvider clock)
{
    const string Withheld = "served blind: what the judge said is withheld";

    /// <param name="blind">Serves everything without suggestions; items that were served with one before are left out.</param>
    public async Task<IReadOnlyList<ServedItem>> ServeAsync(ProjectId project, IReadOnlyList<ReviewItem> items, bool blind, CancellationToken ct)
    {
        await store.Review.ShownAsync(
            project, [.. items.Where(item => item.Metric is not null).Select(item => new ReviewPair(item.Span, item.MetricId))], clock.GetUtcNow(), ct);
        var judges = (await store.Metrics.ListAsync(project, ct))
            .Where(metric => registry.Find(metric.Validator.Kind)?.CallsModel == true).ToDictionary(metric => metric.Name);
        var about = items.Where(item => item.Metric is { } name && judges.ContainsKey(name)).ToArray();
        if (about.Length == 0)
            return [.. items.Select(item => new ServedItem(item, null, null))];

        var share = blind ? 1 : (await store.Projects.GetAsync(project, ct))!.BlindShare;
        var verdicts = (await store.Verdicts.CurrentAsync(project, [.. about.Select(item => item.Span).Distinct()], ct))
            .Where(verdict => verdict.Finding.Outcome is Outcome.Pass or Outcome.Fail).ToDictionary(verdict => (verdict.Span, verdict.Metric));
        var open = about.Where(item => verdicts.ContainsKey((item.Span, judges[item.Metric!].Id))).DistinctBy(item => (item.Span, item.Metric)).ToArray();
        var served = (await store.Serving.ServeAsync(
            project,
            [.. open.Select(item => (item, verdicts[(item.Span, judges[item.Metric!].Id)])).Select(each => new Served(
                each.item.Span, each.Item2.Metric, ModeOf(each.item, share), each.Item2.ValidatorVersion, each.Item2.Finding.Outcome))],
            clock.GetUtcNow(), ct)).ToDictionary(each => (each.Span, each.Metric));
        return [.. items.Select(item => item.Metric is { } name && judges.TryGetValue(name, out var judge) && served.TryGetValue((item.Span, judge.Id), out var how)
            ? Show(item, how, verdicts[(item.Span, judge.Id)].Finding)
            // Why a judge could not decide may tell what it leaned to.
            : new ServedItem(blind && item.Metric is { } named && judges.ContainsKey(named) ? item with { Detail = Withheld } : item, null, null))
            .Where(item => !blind || item.Mode != ServedMode.Suggested)];
    }

    /// <summary>The mode of a label by how its item was served.</summary>
    /// <param name="claimed">What the caller says; null leaves it to the record.</param>
    /// <exception cref="ModeConflictException">The claim contradicts the record.</exception>
    public async Task<LabelMode> ModeAsync(ProjectId project, SpanId span, MetricId metric, LabelMode? claimed, bool passed, CancellationToken ct)
    {
        if (await store.Serving.FindAsync(project, span, metric, ct) is not { } served)
            return claimed ?? LabelMode.Blind;
        if (served.Mode == ServedMode.Blind)
            return claimed is null or LabelMode.Blind
                ? LabelMode.Blind
                : throw new ModeConflictException($"`mode` is {Wire.Name(claimed.Value)}, but the item was served blind: there was nothing to accept or edit. Leave `mode` out or send blind.");
        var fits = passed == (served.Suggestion == Outcome.Pass) ? LabelMode.Accepted : LabelMode.Edited;
        return claimed switch
        {
            null => fits,
            LabelMode.Blind => throw new ModeConflictException(
                $"`mode` is blind, but the item was served with the judge's suggestion: it can be accepted or edited only. Leave `mode` out or send {Wire.Name(fits)}."),
            // Whoever keeps the verdict may still have changed the critique.
            LabelMode.Accepted when fits == LabelMode.Edited => throw new ModeConflictException(
                $"`mode` is accepted, but the judge suggested {Wire.Name(served.Suggestion)}: send edited, or leave `mode` out."),
            { } said => said,
        };
    }

    static ServedMode ModeOf(ReviewItem item, double share) =>
        item.Propensity is not null || item.Reason == ReviewReason.Adjudicate || Applicability.Draw("blind:" + item.Metric, item.Key) < share ? ServedMode.Blind : ServedMode.Suggested;

    /// <summary>A blind item's reason, detail and place in the queue would tell what the judge said.</summary>
    static ServedItem Show(ReviewItem item, Served how, Finding finding) => how.Mode == ServedMode.Suggested
        ? new(item, how.Mode, new(finding.Outcome, finding.Reason, finding.Confidence, how.ValidatorVersion) { RawConfidence = finding.RawConfidence })
        : new(item with { Detail = Withheld, Priority = Math.Min(item.Priority, 1) }, how.Mode, null);
}
