using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;
using Flywheel.Server.Api;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Flywheel.Server.Features.Prompts;

static class PromptEndpoints
{
    const int MaxLabel = 100;

    public static void MapPrompts(this IEndpointRouteBuilder api)
    {
        var prompts = api.MapGroup("/prompts").WithTags("Prompts");
        prompts.MapGet("/", ListAsync).Needs(KeyScope.Read).WithSummary("Prompts with their labels");
        prompts.MapGet("/{name}", GetAsync).Needs(KeyScope.Read).WithSummary("One prompt: its versions, newest first, and how many spans ran each");
        prompts.MapPost("/{name}/versions", AddAsync).Needs(KeyScope.Admin).WithSummary("Add a version; the newest one's content again adds nothing");
        prompts.MapGet("/{name}/versions/{which}", FetchAsync).Needs(KeyScope.Ingest).WithSummary("One version, by its number or a label; `latest` is the newest");
        prompts.MapPost("/{name}/versions/{which}/render", RenderAsync).Needs(KeyScope.Ingest).WithSummary("A version with its placeholders filled");
        prompts.MapGet("/{name}/versions/{which}/spans", SpansAsync).Needs(KeyScope.Read).WithSummary("The newest spans that ran a version");
        prompts.MapGet("/{name}/diff", DiffAsync).Needs(KeyScope.Read).WithSummary("What changed between two versions or labels, as a unified diff");
        prompts.MapPut("/{name}/labels/{label}", MoveAsync).Needs(KeyScope.Admin).WithSummary("Point a label at a version; 202 and a proposal when the label is protected");
        var proposals = api.MapGroup("/prompt-proposals").WithTags("Prompts");
        proposals.MapGet("/", ProposalsAsync).Needs(KeyScope.Read).WithSummary("Protected labels that are to move");
        proposals.MapPost("/{id:long}/approve", (long id, Body<DecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
            DecideAsync(id, true, body.Value, caller, store, clock, ct)).Needs(KeyScope.Admin).WithSummary("Sign off: the label moves");
        proposals.MapPost("/{id:long}/reject", (long id, Body<DecisionBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
            DecideAsync(id, false, body.Value, caller, store, clock, ct)).Needs(KeyScope.Admin).WithSummary("Turn down: the label stays");
        api.MapGet("/project/protected-labels", ProtectedAsync).Needs(KeyScope.Read).WithTags("Prompts").WithSummary("Labels that move only with a person's sign-off");
        api.MapPut("/project/protected-labels", ProtectAsync).Needs(KeyScope.Admin).WithTags("Prompts").WithSummary("Set which labels need sign-off; none by default");
        api.MapGet("/traces/{traceId}/spans/{spanId}/prompt", ExactAsync).Needs(KeyScope.Read).WithTags("Prompts")
            .WithSummary("The prompt that a span got, message by message, demonstrations marked");
    }

    static async Task<Ok<PromptList>> ListAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(new PromptList([.. (await store.Prompts.ListAsync(caller.Project, ct)).Select(PromptSummaryView.Of)]));

    static async Task<Ok<PromptView>> GetAsync(string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var versions = await store.Prompts.VersionsAsync(caller.Project, name, ct);
        if (versions.Count == 0)
            throw Unknown(name);
        var labels = await store.Prompts.LabelsAsync(caller.Project, name, ct);
        var uses = await store.Prompts.UsesAsync(caller.Project, name, ct);
        return TypedResults.Ok(new PromptView(
            name, [.. versions.Select(version => PromptVersionView.Of(version, labels, versions[0].Number))],
            [.. uses.Select(use => new PromptUseView(use.Number, use.Spans, use.First, use.Last))]));
    }

    static async Task<Ok<PromptVersionView>> AddAsync(
        string name, Body<PromptBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        var it = body.Value;
        if (WrongName(name) is { } why)
            throw RequestException.BadField("name", $"`name` {why}");
        var (type, template) = it.Template.ValueKind switch
        {
            JsonValueKind.String => (PromptType.Text, it.Template.GetString()!),
            JsonValueKind.Array => (PromptType.Chat, it.Template.GetRawText()),
            _ => throw RequestException.BadField("template", "`template` must be a text, or a list of messages [{\"role\": \"system\", \"content\": \"...\"}]."),
        };
        if (PromptTemplate.Wrong(type, template) is { } bad)
            throw RequestException.BadField("template", $"`template` {bad}");
        if (type == PromptType.Chat)
            template = PromptTemplate.Write(PromptTemplate.Messages(type, template));
        if (PromptTemplate.Messages(type, template).Any(message => SpanRules.Text(message.Content) is not null))
            throw RequestException.BadField("template", "`template` holds a NUL character or half of a surrogate pair: remove it.");
        if (it.Config is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
            throw RequestException.BadField("config", "`config` must be an object, such as {\"model\": \"gpt-4.1-mini\", \"temperature\": 0}.");
        foreach (var label in it.Labels ?? [])
            CheckLabel(label, "labels");
        var author = it.Author ?? caller.Actor;
        PromptVersion added;
        try
        {
            added = await store.Prompts.AddAsync(
                new(caller.Project, name, 0, type, template, it.Config is { ValueKind: JsonValueKind.Object } config ? config.GetRawText() : "{}", it.Note, author, clock.GetUtcNow()), ct);
        }
        catch (ArgumentException other)
        {
            throw new RequestException(RequestErrorKind.Conflict, "prompt_type", other.Message.Split(" (Parameter")[0], "template");
        }
        foreach (var label in it.Labels ?? [])
            await store.Prompts.MoveAsync(caller.Project, name, label, added.Number, it.Note, author, clock.GetUtcNow(), ct);
        return TypedResults.Ok(await ViewAsync(store, added, ct));
    }

    static async Task<Ok<PromptVersionView>> FetchAsync(string name, string which, HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(await ViewAsync(store, await FindAsync(store, caller.Project, name, which, ct), ct));

    static async Task<Ok<RenderedView>> RenderAsync(
        string name, string which, Body<RenderBody> body, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var version = await FindAsync(store, caller.Project, name, which, ct);
        var rendered = PromptTemplate.Render(version.Type, version.Template, variable => body.Value.Variables.GetValueOrDefault(variable));
        if (rendered.Missing.Count > 0)
            throw new RequestException(RequestErrorKind.Invalid, "missing_variables", $"`variables` lacks {string.Join(", ", rendered.Missing)}, which version {version.Number} of `{name}` asks for.", "variables");
        return TypedResults.Ok(new RenderedView(name, version.Number, rendered.Messages));
    }

    static async Task<Ok<PromptSpans>> SpansAsync(string name, string which, HttpCaller caller, IFlywheelStore store, CancellationToken ct, int limit = 50)
    {
        var version = await FindAsync(store, caller.Project, name, which, ct);
        var spans = await store.Prompts.SpansAsync(caller.Project, name, version.Number, PageSize.Check(limit), ct);
        return TypedResults.Ok(new PromptSpans([.. spans.Select(key => new PromptSpan(key.Trace, key.Span))]));
    }

    static async Task<Ok<PromptDiff>> DiffAsync(
        string name, HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? from = null, string? to = null)
    {
        var newer = await FindAsync(store, caller.Project, name, to ?? PromptLabel.Latest, ct);
        var older = from is null && newer.Number == 1
            ? newer
            : await FindAsync(store, caller.Project, name, from ?? (newer.Number - 1).ToString(CultureInfo.InvariantCulture), ct);
        return TypedResults.Ok(new PromptDiff(name, older.Number, newer.Number, Diff(older, newer)));
    }

    public static string Diff(PromptVersion older, PromptVersion newer) => UnifiedDiff.Of(
        PromptTemplate.Lines(older), PromptTemplate.Lines(newer), $"{older.Name} version {older.Number}", $"{newer.Name} version {newer.Number}");

    static async Task<Results<Ok<LabelMoved>, Accepted<LabelMoved>>> MoveAsync(
        string name, string label, Body<LabelMoveBody> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        CheckLabel(label, "label");
        LabelProposal? proposal;
        try
        {
            proposal = await store.Prompts.MoveAsync(
                caller.Project, name, label, body.Value.Version, body.Value.Reason, body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        }
        catch (KeyNotFoundException none)
        {
            throw RequestException.NotFound("prompt_version", none.Message, "version");
        }
        var moved = new LabelMoved(name, label, body.Value.Version, proposal is null ? null : ProposalView.Of(proposal));
        return proposal is null ? TypedResults.Ok(moved) : TypedResults.Accepted($"/api/v1/prompt-proposals", moved);
    }

    static async Task<Ok<ProposalList>> ProposalsAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct, string? state = null, int limit = 50)
    {
        ProposalState? wanted = state is null ? null
            : Wire.Parse<ProposalState>(state) ?? throw RequestException.BadField("state", $"`state` is `{state}`: use {Wire.Choices<ProposalState>()}.");
        return TypedResults.Ok(new ProposalList([.. (await store.Prompts.ProposalsAsync(caller.Project, wanted, PageSize.Check(limit), ct)).Select(ProposalView.Of)]));
    }

    static async Task<NoContent> DecideAsync(
        long id, bool approve, DecisionBody body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct) =>
        await store.Prompts.DecideAsync(caller.Project, id, approve, body.Author ?? caller.Actor, clock.GetUtcNow(), ct) switch
        {
            Decided.Done => TypedResults.NoContent(),
            Decided.Already => throw new RequestException(RequestErrorKind.Conflict, "already_decided", $"Proposal {id} was decided before: GET /api/v1/prompt-proposals says by whom."),
            Decided.Stale => throw new RequestException(RequestErrorKind.Conflict, "stale_proposal", $"The label has moved since proposal {id} was made: reject it, look at the diff and propose again."),
            _ => throw RequestException.NotFound("proposal", $"There is no proposal {id} in this project."),
        };

    static async Task<Ok<ProtectedLabels>> ProtectedAsync(HttpCaller caller, IFlywheelStore store, CancellationToken ct) =>
        TypedResults.Ok(new ProtectedLabels(await store.Prompts.ProtectedAsync(caller.Project, ct)));

    static async Task<Ok<ProtectedLabels>> ProtectAsync(Body<ProtectedLabels> body, HttpCaller caller, IFlywheelStore store, TimeProvider clock, CancellationToken ct)
    {
        if (body.Value.Labels.Count > 50)
            throw RequestException.BadField("labels", "`labels` must be at most 50 names.");
        foreach (var label in body.Value.Labels)
            CheckLabel(label, "labels");
        await store.Prompts.ProtectAsync(caller.Project, [.. body.Value.Labels.Distinct()], body.Value.Author ?? caller.Actor, clock.GetUtcNow(), ct);
        return await ProtectedAsync(caller, store, ct);
    }

    static async Task<Ok<SpanPrompt>> ExactAsync(string traceId, string spanId, HttpCaller caller, IFlywheelStore store, CancellationToken ct)
    {
        var span = await store.Spans.FindAsync(caller.Project, new SpanKey(traceId, spanId), ct)
            ?? throw RequestException.NotFound("span", $"There is no span `{spanId}` in trace `{traceId}` of this project.", "span_id");
        return TypedResults.Ok(await SpanPrompt.OfAsync(store, span, ct));
    }

    /// <summary>By number or label.</summary>
    public static async Task<PromptVersion> FindAsync(IFlywheelStore store, ProjectId project, string name, string which, CancellationToken ct)
    {
        var found = int.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? await store.Prompts.FindAsync(project, name, number, ct)
            : await store.Prompts.FindAsync(project, name, which, ct);
        if (found is not null)
            return found;
        var versions = await store.Prompts.VersionsAsync(project, name, ct);
        if (versions.Count == 0)
            throw Unknown(name);
        var labels = (await store.Prompts.LabelsAsync(project, name, ct)).Select(label => $"`{label.Label}`").Append($"`{PromptLabel.Latest}`");
        throw RequestException.NotFound("prompt_version", $"Prompt `{name}` has no version `{which}`: it has 1 to {versions[0].Number}, and the labels {string.Join(", ", labels)}.", "version");
    }

    static RequestException Unknown(string name) =>
        RequestException.NotFound("prompt", $"There is no prompt `{name}`: POST /api/v1/prompts/{name}/versions makes it.", "name");

    static async Task<PromptVersionView> ViewAsync(IFlywheelStore store, PromptVersion version, CancellationToken ct)
    {
        var newest = await store.Prompts.FindAsync(version.Project, version.Name, PromptLabel.Latest, ct);
        return PromptVersionView.Of(version, await store.Prompts.LabelsAsync(version.Project, version.Name, ct), newest?.Number ?? version.Number);
    }

    public static string? WrongName(string name) =>
        SpanRules.Name(name, SpanRules.MaxNameLength) ?? (name.Contains('/') ? "holds a slash: use another character, such as a dot." : null);

    public static void CheckLabel(string label, string field)
    {
        if (SpanRules.Name(label, MaxLabel) is { } why)
            throw RequestException.BadField(field, $"`{field}` {why}");
        if (label == PromptLabel.Latest)
            throw RequestException.BadField(field, $"`{field}` is `latest`, which is always the newest version: use another name.");
        if (label.All(char.IsAsciiDigit) || label.Contains('/'))
            throw RequestException.BadField(field, $"`{field}` is `{label}`: a label holds no slash and is no number.");
    }
}
