using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Labeling;

/// <summary>Labels of people: given, listed and removed.</summary>
/// <remarks>
/// Every label passes here, so that none counts as blind whose author saw a suggestion. Only a restored archive keeps what it says.
/// </remarks>
public sealed class LabelService(ILabelStore labels, IMetricStore metrics, ISpanStore spans, ReviewServing serving, TimeProvider clock)
{
    /// <exception cref="RequestException">
    /// <c>invalid_propensity</c>, <c>invalid_mode</c>, <c>unknown_metric</c>, <c>unknown_span</c>; <c>mode_conflict</c> if the mode
    /// contradicts how the queue served the item; <c>no_dispute</c>; <c>label_conflict</c> if the id names another label.
    /// </exception>
    public async Task<LabelOfSpan> AddAsync(Caller caller, LabelRequest request, CancellationToken ct)
    {
        if (request.Propensity is { } propensity && propensity is not (> 0 and <= 1))
            throw RequestException.BadField("propensity",
                "`propensity` is a probability above 0 and at most 1: leave it out for items picked by hand.");
        var claimed = Wire.Choice<LabelMode>("mode", request.Mode);
        var metric = await metrics.GetAsync(caller.Project, request.Metric, ct);
        var span = await spans.GetAsync(caller.Project, request.TraceId, request.SpanId, ct);
        // How an item is served after it was labelled does not change what the label is.
        var earlier = request.Id is { } id
            ? (await labels.OfSpansAsync(caller.Project, [span.Id], ct)).FirstOrDefault(each => each.Id == id && each.Metric == metric.Id)
            : null;
        var mode = earlier is null
            ? await serving.ModeAsync(caller.Project, span.Id, metric.Id, claimed, request.Passed, ct)
            : claimed ?? earlier.Mode;
        var label = new Label(
            request.Id ?? Guid.CreateVersion7(), caller.Project, span.Id, metric.Id, request.Passed, mode, request.Critique,
            request.Author ?? caller.Actor, request.Propensity, request.GivenAt ?? clock.GetUtcNow())
        {
            Adjudicates = request.Adjudicates,
        };
        if (label.Adjudicates && earlier is null)
            await CheckDisputeAsync(label, ct);
        IdConflict.Check(await labels.AddAsync(label, ct), "label", label.Id);
        return new(label, span.Key, metric.Name);
    }

    /// <summary>The newest labels first.</summary>
    /// <param name="metric">Name of a metric; null for all.</param>
    /// <exception cref="RequestException"><c>invalid_limit</c>, <c>unknown_metric</c>.</exception>
    public async Task<IReadOnlyList<LabelOfSpan>> ListAsync(Caller caller, string? metric, int limit, CancellationToken ct)
    {
        var only = metric is null ? null : await metrics.GetAsync(caller.Project, metric, ct);
        var found = await labels.ListAsync(caller.Project, only?.Id, PageSize.Check(limit), ct);
        var keys = (await spans.GetAsync(caller.Project, [.. found.Select(label => label.Span).Distinct()], ct))
            .ToDictionary(span => span.Id, span => span.Key);
        var names = (await metrics.ListAsync(caller.Project, ct)).ToDictionary(each => each.Id, each => each.Name);
        return [.. found.Select(label => new LabelOfSpan(label, keys[label.Span], names[label.Metric]))];
    }

    /// <exception cref="RequestException"><c>unknown_label</c>.</exception>
    public async Task RemoveAsync(Caller caller, Guid id, CancellationToken ct)
    {
        if (!await labels.RemoveAsync(caller.Project, id, caller.Actor, clock.GetUtcNow(), ct))
            throw RequestException.NotFound("label", $"There is no label {id} in this project.");
    }

    async Task CheckDisputeAsync(Label label, CancellationToken ct)
    {
        var others = (await labels.OfSpansAsync(label.Project, [label.Span], ct))
            .Where(other => other.Metric == label.Metric && other is { Mode: LabelMode.Blind, Adjudicates: false });
        if (others.Select(other => other.Passed).Distinct().Count() < 2)
            throw new RequestException(RequestErrorKind.Conflict, "no_dispute",
                "People do not differ about this item: leave `adjudicate` out.", "adjudicate");
        if (label.Mode != LabelMode.Blind)
            throw new RequestException(
                RequestErrorKind.Conflict, "mode_conflict",
                "Anyone who saw the judge's suggestion cannot adjudicate: let somebody decide who took the item with `blind=true`.",
                "adjudicate");
    }
}
