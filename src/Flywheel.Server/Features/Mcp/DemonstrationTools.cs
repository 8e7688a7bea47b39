using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Retrieval;
using Flywheel.Server.Features.Retrieval;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Few-shot examples, and fixed outputs that may become some.</summary>
sealed class DemonstrationTools(IFlywheelStore store, AgentCaller caller, TimeProvider clock)
{
    const int MostPending = 500;
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
        if (node is not null && metric is not null)
            throw RequestException.BadField("node", "Give `node` (a task prompt) or `metric` (a judge's prompt), not both.");
        if (limit is < 1 or > 100)
            throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to 100.");
        var page = await store.Demonstrations.ListAsync(
            caller.Project,
            new DemonstrationFilter(
                metric is not null ? DemonstrationPurpose.Judge : node is not null ? DemonstrationPurpose.Task : null, metric ?? node,
                TraceTools.Choice<DemonstrationState>("state", state), cursor, limit),
            ct);
        return new DemonstrationList(
            [.. page.Items.Select(DemonstrationView.Of).Select(it => it with { Input = TraceTools.Cut(it.Input, Preview)!, Output = TraceTools.Cut(it.Output, Preview)! })], page.Next);
    }

    [McpServerTool(Name = "propose_correction", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose what a node should have answered on a span. It becomes a pending demonstration; nothing reaches a prompt until a person approves it, and it is no person's correction.")]
    public async Task<ProposalAnswer> CorrectAsync(
        [Description("Id of the trace")] string trace_id,
        [Description("Id of the span in it")] string span_id,
        [Description("The output as it should have been, in full")] string corrected_output,
        [Description("What was wrong with it, and why yours is right")] string reason,
        CancellationToken ct)
    {
        caller.MustPropose();
        ReviewTools.CheckText("corrected_output", corrected_output, 200_000);
        ReviewTools.CheckText("reason", reason, 4_000);
        var span = await ReviewTools.FindSpanAsync(store, caller, trace_id, span_id, ct);
        if (span.Content.Input is not { } input)
            throw new RequestException(RequestErrorKind.Conflict, "no_input", "The span has no input, so its output cannot be an example for others.", "span_id");
        if (corrected_output == span.Content.Output)
            throw RequestException.BadField("corrected_output", "`corrected_output` is the output as it was: propose what should be different.");
        var id = new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"correction\n{caller.Project.Value}\n{caller.Author}\n{span.Id.Value}\n{corrected_output}")).AsSpan(0, 16));
        var added = await store.Demonstrations.ProposeAsync(
            new Demonstration(
                id, caller.Project, DemonstrationPurpose.Task, span.Content.Node, input, corrected_output, span.Content.Output, reason, 1, span.Content.EndUser,
                span.Id.Value, DemonstrationState.Pending, caller.Author, clock.GetUtcNow(), null, null, null, null),
            MostPending, ct)
            ?? throw new RequestException(RequestErrorKind.RateLimited, "too_many_open", $"You have {MostPending} proposed corrections that nobody has decided about: wait until people have.");
        return new(added == InsertResult.Stored ? "proposed" : "repeated", $"demonstration {id}", "It is pending; a person approves or recalls it.");
    }
}
