using System.ComponentModel;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Features.Judging;
using Flywheel.Server.Features.Metrics;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Metrics: what is checked and how it stands, and proposals of new ones.</summary>
sealed class MetricTools(
    MetricService metrics, GuidelineService guidelines, ProposedMetricService proposedMetrics, ProposedGuidelineService proposedGuidelines,
    ValidatorRegistry registry, AgentCaller caller)
{
    [McpServerTool(Name = "list_metrics", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("The project's metrics: binary criteria with their validators and states.")]
    public async Task<MetricList> ListAsync(
        CancellationToken ct, [Description("proposed, active or retired; left out: all")] string? state = null) =>
        MetricList.Of(await metrics.ListAsync(caller.Caller, state, ct));

    [McpServerTool(Name = "read_metric", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("How one metric stands: true pass rate, the validator's quality and agreement, each with its 95 % interval and the "
        + "numbers behind it, by validator version.")]
    public async Task<MetricSummaryView> SummaryAsync(
        [Description("Name of the metric")] string metric,
        CancellationToken ct,
        [Description("Only this node")] string? node = null,
        [Description("Spans that started at or after this ISO-8601 time")] string? from = null,
        [Description("Spans that started before this ISO-8601 time")] string? to = null,
        [Description("Cut by node, time or node,time")] string? by = null,
        [Description("With time: hour, day or week")] string? bucket = null) =>
        MetricSummaryView.Of(await metrics.ReadAsync(caller.Caller, metric, new(by, bucket, node, from, to), ct));

    [McpServerTool(Name = "list_validators", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("The kinds of validators that a metric can have, with their settings. Give a name for one of them in full.")]
    public object Validators([Description("Name of one kind")] string? kind = null)
    {
        if (kind is null)
            return registry.Kinds.Select(each => new { each.Name, each.Summary, each.CallsModel });
        return registry.Find(kind) is { } found
            ? ValidatorKindView.Of(found)
            : throw RequestException.NotFound("kind", $"There is no validator `{kind}`: leave `kind` out for a list.");
    }

    [McpServerTool(Name = "propose_metric", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose a new metric. It checks nothing until a person activates it. Metrics that exist are not changed.")]
    public async Task<ProposalAnswer> ProposeAsync(
        [Description("a-z, 0-9, `.`, `_` and `-`, such as answer.names-sum")] string name,
        [Description("A question answerable by yes (pass) or no (fail)")] string criterion,
        [Description("The kind with its settings, such as {\"kind\": \"length\", \"max\": 400} or {\"kind\": \"judge\"}; see "
            + "list_validators")] JsonElement validator,
        CancellationToken ct,
        [Description("output or input; left out: what the validator can check")] string? subject = null,
        [Description("Names of nodes; left out: all")] string[]? nodes = null,
        [Description("Kinds of nodes; left out: all")] string[]? kinds = null,
        [Description("Share of spans that are judged, 0 to 1")] double? sampling = null)
    {
        var result = await proposedMetrics.ProposeAsync(
            caller.Caller, new(name, criterion, validator) { Subject = subject, Nodes = nodes, Kinds = kinds, Sampling = sampling }, ct);
        return ProposalAnswer.Of(
            result, $"metric {name}", "It checks nothing until a person activates it: POST /api/v1/metrics/NAME/state.");
    }

    [McpServerTool(Name = "list_guidelines", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Rules for the judges of a metric: proposed, approved (in the prompt) and removed ones.")]
    public async Task<GuidelineList> GuidelinesAsync([Description("Name of the metric")] string metric, CancellationToken ct) =>
        new([.. (await guidelines.ListAsync(caller.Caller, metric, null, ct)).Select(GuidelineView.Of)]);

    [McpServerTool(Name = "propose_guideline", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose a rule of a sentence or two for the judges of a metric. It enters the prompt once a person approved it.")]
    public async Task<ProposalAnswer> GuidelineAsync(
        [Description("Name of the metric")] string metric, [Description("The rule, at most 1000 characters")] string text,
        CancellationToken ct)
    {
        var result = await proposedGuidelines.ProposeAsync(caller.Caller, metric, text, ct);
        return ProposalAnswer.Of(
            result, $"guideline for {metric}", result == InsertResult.Stored
                ? "It enters the judges' prompts once a person approves it."
                : "It is there already; list_guidelines shows its state.");
    }
}
