using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Engine.Proposals;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Labeling;

/// <summary>Labels that agents propose: suggestions of the review queue, which a person accepts or changes.</summary>
public sealed class ProposedLabelService(
    IProposedLabelStore proposals, ILabelStore labels, IMetricStore metrics, ISpanStore spans, AgentVisibility visibility,
    TimeProvider clock)
{
    /// <summary>Pairs without a person's label that one agent may have proposals for: people's time is what the queue rations.</summary>
    public const int MostOpen = 500;

    const int MostCritique = 4_000;

    /// <returns>Stored, or repeated if the agent proposed the same before.</returns>
    /// <exception cref="RequestException">
    /// <c>scope_missing</c>, <c>invalid_critique</c>, <c>invalid_confidence</c>, <c>unknown_metric</c>, <c>metric_not_active</c>,
    /// <c>unknown_span</c>, <c>labelled</c>, <c>too_many_open</c>; <c>served_blind</c> if the item is kept for people who see no
    /// suggestion.
    /// </exception>
    public async Task<InsertResult> ProposeAsync(Caller caller, ProposedLabelRequest request, CancellationToken ct)
    {
        var author = AgentAuthor.Of(caller);
        RequestField.Text("critique", request.Critique, MostCritique);
        if (request.Confidence is not (null or >= 0 and <= 1))
            throw RequestException.BadField("confidence", "`confidence` is a number from 0 to 1.");
        var metric = await metrics.GetAsync(caller.Project, request.Metric, ct);
        if (metric.State != MetricState.Active)
            throw new RequestException(
                RequestErrorKind.Conflict, "metric_not_active",
                $"The metric `{metric.Name}` is {Wire.Name(metric.State)}: people are asked about active metrics only.", "metric");
        var span = await spans.GetAsync(caller.Project, request.TraceId, request.SpanId, ct);
        if ((await visibility.BlindAsync(caller.Project, [span], ct)).Contains(span.Id, span.Key, metric))
            throw new RequestException(
                RequestErrorKind.Conflict, "served_blind",
                "This item is kept for labels of people who see no suggestion: propose for another one.");
        if ((await labels.OfSpansAsync(caller.Project, [span.Id], ct)).Any(label => label.Metric == metric.Id))
            throw new RequestException(RequestErrorKind.Conflict, "labelled",
                "A person has labelled this already: read the trace to see the label.");
        return await proposals.AddAsync(
            new(caller.Project, span.Id, metric.Id, author, request.Passed, request.Critique, request.Confidence, clock.GetUtcNow()),
            MostOpen, ct)
            ?? throw new RequestException(
                RequestErrorKind.RateLimited, "too_many_open",
                $"You have {MostOpen} proposed labels that nobody has answered: wait until people have.");
    }
}
