using System.ComponentModel;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;
using Flywheel.Core.Metrics;
using Flywheel.Server.Features.Review;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <param name="State"><c>proposed</c>, or <c>repeated</c> when the same was proposed before.</param>
public sealed record ProposalAnswer(string State, string What, string Next);

/// <summary>The review queue, and answers to it that a person decides about.</summary>
sealed class ReviewTools(IFlywheelStore store, AgentCaller caller, AgentVisibility sight, TimeProvider clock)
{
    /// <summary>Pairs without a person's label that one agent may have proposals for: people's time is what the queue rations.</summary>
    internal const int MostOpen = 500;
    const int Preview = 2_000;

    [McpServerTool(Name = "read_review_queue", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("What people should look at, most urgent first. Items that are served blind have no suggestion. Reading takes nothing and changes nothing.")]
    public async Task<ReviewList> QueueAsync(
        CancellationToken ct,
        [Description("Only this node")] string? node = null,
        [Description("Only this metric")] string? metric = null,
        [Description("adjudicate, disagreement, low-score, unsure, informative or random-audit")] string? reason = null,
        [Description("`next` of the page before")] string? cursor = null,
        [Description("Items a page, 1 to 100")] int limit = 20)
    {
        if (limit is < 1 or > 100)
            throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to 100.");
        var (items, next) = await sight.QueueAsync(
            caller.Project, new ReviewFilter(node, metric, reason is null ? null : ReviewReasons.Parse(reason), cursor, limit, Now: clock.GetUtcNow()), ct);
        return new ReviewList([.. items.Select(ReviewItemView.Of).Select(item => item with
        {
            Input = TraceTools.Cut(item.Input, Preview), Output = TraceTools.Cut(item.Output, Preview),
        })], next);
    }

    [McpServerTool(Name = "propose_label", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose pass or fail for one metric on one span. A person sees it as a suggestion and accepts or changes it; it is no label and never counts as one. Items that are kept for blind labels are refused.")]
    public async Task<ProposalAnswer> LabelAsync(
        [Description("Id of the trace")] string trace_id,
        [Description("Id of the span in it")] string span_id,
        [Description("Name of the metric")] string metric,
        [Description("True: the text meets the criterion")] bool passed,
        [Description("Why, in a sentence or two that point at the text")] string critique,
        CancellationToken ct,
        [Description("How sure you are, 0 to 1")] double? confidence = null)
    {
        caller.MustPropose();
        CheckText("critique", critique, 4_000);
        if (confidence is not (null or >= 0 and <= 1))
            throw RequestException.BadField("confidence", "`confidence` is a number from 0 to 1.");
        var about = await store.Metrics.GetAsync(caller.Project, metric, ct);
        if (about.State != Core.Metrics.MetricState.Active)
            throw new RequestException(RequestErrorKind.Conflict, "metric_not_active", $"The metric `{metric}` is {Core.Metrics.Wire.Name(about.State)}: people are asked about active metrics only.", "metric");
        var span = await FindSpanAsync(store, caller, trace_id, span_id, ct);
        if ((await sight.BlindAsync(caller.Project, [span], ct)).Contains(span.Id, span.Key, about))
            throw new RequestException(RequestErrorKind.Conflict, "served_blind", "This item is kept for labels of people who see no suggestion: propose for another one.");
        if ((await store.Labels.OfSpansAsync(caller.Project, [span.Id], ct)).Any(label => label.Metric == about.Id))
            throw new RequestException(RequestErrorKind.Conflict, "labelled", "A person has labelled this already: read_trace shows the label.");
        var added = await store.ProposedLabels.AddAsync(
            new ProposedLabel(caller.Project, span.Id, about.Id, caller.Author, passed, critique, confidence, clock.GetUtcNow()), MostOpen, ct)
            ?? throw new RequestException(RequestErrorKind.RateLimited, "too_many_open", $"You have {MostOpen} proposed labels that nobody has answered: wait until people have.");
        return new(added == InsertResult.Stored ? "proposed" : "repeated", $"label {(passed ? "pass" : "fail")} for {metric} on {span.Key}", "It is in the review queue as a suggestion; a person decides.");
    }

    internal static void CheckText(string field, string text, int most)
    {
        if (string.IsNullOrWhiteSpace(text) || text.Length > most)
            throw RequestException.BadField(field, $"`{field}` must have 1 to {most:N0} characters.");
        if (SpanRules.Text(text) is { } why)
            throw RequestException.BadField(field, $"`{field}` {why}");
    }

    internal static async Task<Span> FindSpanAsync(IFlywheelStore store, AgentCaller caller, string trace, string span, CancellationToken ct) =>
        await store.Spans.FindAsync(caller.Project, new SpanKey(trace, span), ct)
        ?? throw RequestException.NotFound("span", $"There is no span `{span}` in trace `{trace}` of this project: search_traces finds them.", "span_id");
}
