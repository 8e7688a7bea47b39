using System.ComponentModel;
using Flywheel.Core.Labeling;
using Flywheel.Core.Traces;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Review;
using Flywheel.Server.Features.Review;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <param name="State"><c>proposed</c>, or <c>repeated</c> when the same was proposed before.</param>
public sealed record ProposalAnswer(string State, string What, string Next)
{
    public static ProposalAnswer Of(InsertResult result, string what, string next) =>
        new(result == InsertResult.Stored ? "proposed" : "repeated", what, next);
}

/// <summary>The review queue, and answers to it that a person decides about.</summary>
sealed class ReviewTools(ReviewQueue queue, ProposedLabelService labels, AgentCaller caller)
{
    const int Preview = 2_000;

    [McpServerTool(Name = "read_review_queue", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("What people should look at, most urgent first. Items that are served blind have no suggestion. Reading takes nothing "
        + "and changes nothing.")]
    public async Task<ReviewList> QueueAsync(
        CancellationToken ct,
        [Description("Only this node")] string? node = null,
        [Description("Only this metric")] string? metric = null,
        [Description("adjudicate, disagreement, low-score, unsure, informative or random-audit")] string? reason = null,
        [Description("`next` of the page before")] string? cursor = null,
        [Description("Items a page, 1 to 100")] int limit = 20)
    {
        var page = ReviewList.Of(await queue.ListForAgentAsync(caller.Caller, new(node, metric, reason, cursor, limit), ct));
        return page with
        {
            Items = [.. page.Items.Select(
                item => item with { Input = ShortText.Of(item.Input, Preview), Output = ShortText.Of(item.Output, Preview) })],
        };
    }

    [McpServerTool(Name = "propose_label", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose pass or fail for one metric on one span. A person sees it as a suggestion and accepts or changes it; it is no "
        + "label and never counts as one. Items that are kept for blind labels are refused.")]
    public async Task<ProposalAnswer> LabelAsync(
        [Description("Id of the trace")] string trace_id,
        [Description("Id of the span in it")] string span_id,
        [Description("Name of the metric")] string metric,
        [Description("True: the text meets the criterion")] bool passed,
        [Description("Why, in a sentence or two that point at the text")] string critique,
        CancellationToken ct,
        [Description("How sure you are, 0 to 1")] double? confidence = null)
    {
        var result = await labels.ProposeAsync(caller.Caller, new(trace_id, span_id, metric, passed, critique, confidence), ct);
        return ProposalAnswer.Of(
            result, $"label {(passed ? "pass" : "fail")} for {metric} on {new SpanKey(trace_id, span_id)}",
            "It is in the review queue as a suggestion; a person decides.");
    }
}
