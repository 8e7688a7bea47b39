using System.ComponentModel;
using Flywheel.Core;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Retrieval;
using Flywheel.Server.Features.Retrieval;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Few-shot examples, and fixed outputs that may become some.</summary>
sealed class DemonstrationTools(DemonstrationService demonstrations, ProposedCorrectionService corrections, AgentCaller caller)
{
    const int MostOnPage = 100;
    const int Preview = 2_000;

    [McpServerTool(Name = "list_demonstrations", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Few-shot examples of a node's prompt or of a metric's judge, newest first. Only approved ones reach a prompt.")]
    public async Task<DemonstrationList> ListAsync(
        CancellationToken ct,
        [Description("Examples for this node's prompt")] string? node = null,
        [Description("Examples for this metric's judge")] string? metric = null,
        [Description("pending, approved or recalled; left out: all")] string? state = null,
        [Description("`next` of the page before")] string? cursor = null,
        [Description("Examples a page, 1 to 100")] int limit = 20)
    {
        var page = await demonstrations.ListAsync(
            caller.Caller, new(node, metric, State: state, Cursor: cursor, Limit: PageSize.Check(limit, MostOnPage)), ct);
        return new DemonstrationList(
            [.. page.Items.Select(DemonstrationView.Of)
                .Select(it => it with { Input = ShortText.Of(it.Input, Preview)!, Output = ShortText.Of(it.Output, Preview)! })],
            page.Next);
    }

    [McpServerTool(Name = "propose_correction", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose what a node should have answered on a span. It becomes a pending demonstration; nothing reaches a prompt until "
        + "a person approves it, and it is no person's correction.")]
    public async Task<ProposalAnswer> CorrectAsync(
        [Description("Id of the trace")] string trace_id,
        [Description("Id of the span in it")] string span_id,
        [Description("The output as it should have been, in full")] string corrected_output,
        [Description("What was wrong with it, and why yours is right")] string reason,
        CancellationToken ct)
    {
        var it = await corrections.ProposeAsync(caller.Caller, new(trace_id, span_id, corrected_output, reason), ct);
        return ProposalAnswer.Of(it.Result, $"demonstration {it.Demonstration}", "It is pending; a person approves or recalls it.");
    }
}
