using System.ComponentModel;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Features.Judging;
using Flywheel.Server.Features.Metrics;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <summary>Metrics: what is checked and how it stands, and proposals of new ones.</summary>
sealed class MetricTools(IFlywheelStore store, AgentCaller caller, ValidatorRegistry registry, MetricService metrics, MetricRules rules, TimeProvider clock)
{
    const int MostProposed = 100;

    [McpServerTool(Name = "list_metrics", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("The project's metrics: binary criteria with their validators and states.")]
    public async Task<MetricList> ListAsync(
        CancellationToken ct, [Description("proposed, active or retired; left out: all")] string? state = null)
    {
        var only = TraceTools.Choice<MetricState>("state", state);
        return new MetricList([.. (await store.Metrics.ListAsync(caller.Project, ct)).Where(metric => only is null || metric.State == only).Select(MetricView.Of)]);
    }

    [McpServerTool(Name = "read_metric", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("How one metric stands: true pass rate, the validator's quality and agreement, each with its 95 % interval and the numbers behind it, by validator version.")]
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
        [Description("The kind with its settings, such as {\"kind\": \"length\", \"max\": 400} or {\"kind\": \"judge\"}; see list_validators")] JsonElement validator,
        CancellationToken ct,
        [Description("output or input; left out: what the validator can check")] string? subject = null,
        [Description("Names of nodes; left out: all")] string[]? nodes = null,
        [Description("Kinds of nodes; left out: all")] string[]? kinds = null,
        [Description("Share of spans that are judged, 0 to 1")] double? sampling = null)
    {
        caller.MustPropose();
        var definition = new MetricDefinition(name, criterion, validator)
        {
            Subject = subject, Nodes = nodes, Kinds = kinds, Sampling = sampling, State = Wire.Name(MetricState.Proposed),
        };
        var metric = rules.Read(definition, null, caller.Author);
        var known = await store.Metrics.ListAsync(caller.Project, ct);
        if (known.FirstOrDefault(each => each.Name == name) is { } taken)
            return taken is { State: MetricState.Proposed, Number: 1 } && taken.Author == caller.Author && taken.Criterion == criterion
                && JsonElement.DeepEquals(taken.Validator.Settings, metric.Validator.Settings) && taken.Validator.Kind == metric.Validator.Kind
                ? Answer("repeated", name)
                : throw new RequestException(RequestErrorKind.Conflict, "metric_exists", $"There is a metric `{name}` already: propose under another name, and say in the criterion what it does better.", "name");
        if (known.Count(each => each.State == MetricState.Proposed && each.Author == caller.Author) >= MostProposed)
            throw new RequestException(RequestErrorKind.RateLimited, "too_many_open", $"You have {MostProposed} proposed metrics that nobody has decided about: wait until people have.");
        return await store.Metrics.AddAsync(caller.Project, metric, expectNew: true, clock.GetUtcNow(), ct) is null
            ? throw new RequestException(RequestErrorKind.Conflict, "metric_exists", $"There is a metric `{name}` already: propose under another name.", "name")
            : Answer("proposed", name);
    }

    [McpServerTool(Name = "list_guidelines", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Rules for the judges of a metric: proposed, approved (in the prompt) and removed ones.")]
    public async Task<GuidelineList> GuidelinesAsync([Description("Name of the metric")] string metric, CancellationToken ct)
    {
        var found = await store.Metrics.GetAsync(caller.Project, metric, ct);
        return new GuidelineList([.. (await store.Guidelines.ListAsync(caller.Project, found.Id, null, ct)).Select(GuidelineView.Of)]);
    }

    [McpServerTool(Name = "propose_guideline", Destructive = false, Idempotent = true, OpenWorld = false)]
    [Description("Propose a rule of a sentence or two for the judges of a metric. It enters the prompt once a person approved it.")]
    public async Task<ProposalAnswer> GuidelineAsync(
        [Description("Name of the metric")] string metric, [Description("The rule, at most 1000 characters")] string text, CancellationToken ct)
    {
        caller.MustPropose();
        ReviewTools.CheckText("text", text, Guideline.MaxLength);
        var found = await store.Metrics.GetAsync(caller.Project, metric, ct);
        var known = await store.Guidelines.ListAsync(caller.Project, found.Id, null, ct);
        if (known.Any(each => each.Text == text.Trim()))
            return new("repeated", $"guideline for {metric}", "It is there already; list_guidelines shows its state.");
        if (known.Count(each => each.State == GuidelineState.Proposed && each.Author == caller.Author) >= MostProposed)
            throw new RequestException(RequestErrorKind.RateLimited, "too_many_open", $"You have {MostProposed} proposed guidelines that nobody has decided about: wait until people have.");
        var at = clock.GetUtcNow();
        await store.Guidelines.AddAsync([new Guideline(Guid.CreateVersion7(at), caller.Project, found.Id, text.Trim(), [], GuidelineState.Proposed, caller.Author, at)], ct);
        return new("proposed", $"guideline for {metric}", "It enters the judges' prompts once a person approves it.");
    }

    static ProposalAnswer Answer(string state, string name) => new(state, $"metric {name}", "It checks nothing until a person activates it: POST /api/v1/metrics/NAME/state.");
}
