using System.Globalization;
using System.Text.Json;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Prompts;

/// <summary>The prompt registry: versions, prompt labels that point at them, and rendering.</summary>
public sealed class PromptService(IPromptStore prompts, TimeProvider clock)
{
    public Task<IReadOnlyList<PromptSummary>> ListAsync(Caller caller, CancellationToken ct) => prompts.ListAsync(caller.Project, ct);

    /// <exception cref="RequestException"><c>unknown_prompt</c>.</exception>
    public async Task<PromptHistory> HistoryAsync(Caller caller, string name, CancellationToken ct)
    {
        var versions = await prompts.VersionsAsync(caller.Project, name, ct);
        return versions.Count == 0
            ? throw Unknown(name)
            : new(versions, await prompts.LabelsAsync(caller.Project, name, ct), await prompts.UsesAsync(caller.Project, name, ct));
    }

    /// <param name="which">A number, a prompt label, or <c>latest</c>.</param>
    /// <exception cref="RequestException"><c>unknown_prompt</c>, <c>unknown_prompt_version</c>.</exception>
    public async Task<PromptVersion> GetAsync(Caller caller, string name, string which, CancellationToken ct)
    {
        var found = int.TryParse(which, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? await prompts.FindAsync(caller.Project, name, number, ct)
            : await prompts.FindAsync(caller.Project, name, which, ct);
        if (found is not null)
            return found;
        var versions = await prompts.VersionsAsync(caller.Project, name, ct);
        if (versions.Count == 0)
            throw Unknown(name);
        var labels = (await prompts.LabelsAsync(caller.Project, name, ct)).Select(label => $"`{label.Label}`")
            .Append($"`{PromptLabel.Latest}`");
        throw RequestException.NotFound(
            "prompt_version",
            $"Prompt `{name}` has no version `{which}`: it has 1 to {versions[0].Number}, and the prompt labels "
                + $"{string.Join(", ", labels)}.", "version");
    }

    /// <inheritdoc cref="GetAsync"/>
    public async Task<LabelledPromptVersion> GetLabelledAsync(Caller caller, string name, string which, CancellationToken ct) =>
        await LabelledAsync(await GetAsync(caller, name, which, ct), ct);

    /// <summary>Adds the next version; the newest version's content again adds nothing and returns that version.</summary>
    /// <exception cref="RequestException">
    /// <c>invalid_name</c>, <c>invalid_template</c>, <c>invalid_config</c>, <c>invalid_labels</c>; <c>prompt_type</c> if the prompt's other
    /// versions are of the other type.
    /// </exception>
    public async Task<LabelledPromptVersion> AddAsync(Caller caller, string name, NewPromptRequest request, CancellationToken ct)
    {
        if (PromptNames.WrongName(name) is { } why)
            throw RequestException.BadField("name", $"`name` {why}");
        var (type, template) = Template(request.Template);
        if (request.Config is { ValueKind: not (JsonValueKind.Object or JsonValueKind.Null) })
            throw RequestException.BadField(
                "config", "`config` must be an object, such as {\"model\": \"gpt-4.1-mini\", \"temperature\": 0}.");
        foreach (var label in request.Labels ?? [])
            PromptNames.CheckLabel(label, "labels");
        var config = request.Config is { ValueKind: JsonValueKind.Object } given ? given.GetRawText() : "{}";
        PromptVersion added;
        try
        {
            added = await prompts.AddAsync(
                new(caller.Project, name, 0, type, template, config, RequestField.OptionalText("note", request.Note), caller.Actor,
                    clock.GetUtcNow()), ct);
        }
        catch (ArgumentException other)
        {
            throw new RequestException(RequestErrorKind.Conflict, "prompt_type", other.Message.Split(" (Parameter")[0], "template");
        }
        foreach (var label in request.Labels ?? [])
            await prompts.MoveAsync(caller.Project, name, label, added.Number, request.Note, caller.Actor, clock.GetUtcNow(), ct);
        return await LabelledAsync(added, ct);
    }

    /// <summary>Fills the placeholders of a version.</summary>
    /// <exception cref="RequestException"><c>missing_variables</c>, <c>unknown_prompt</c>, <c>unknown_prompt_version</c>.</exception>
    public async Task<RenderedVersion> RenderAsync(
        Caller caller, string name, string which, IReadOnlyDictionary<string, string> variables, CancellationToken ct)
    {
        var version = await GetAsync(caller, name, which, ct);
        var rendered = PromptTemplate.Render(version.Type, version.Template, variable => variables.GetValueOrDefault(variable));
        return rendered.Missing.Count == 0
            ? new(version, rendered.Messages)
            : throw new RequestException(
                RequestErrorKind.Invalid, "missing_variables",
                $"`variables` lacks {string.Join(", ", rendered.Missing)}, which version {version.Number} of `{name}` asks for.",
                "variables");
    }

    /// <summary>The newest spans that ran a version.</summary>
    /// <exception cref="RequestException"><c>unknown_prompt</c>, <c>unknown_prompt_version</c>, <c>invalid_limit</c>.</exception>
    public async Task<IReadOnlyList<SpanKey>> SpansAsync(Caller caller, string name, string which, int limit, CancellationToken ct)
    {
        var version = await GetAsync(caller, name, which, ct);
        return await prompts.SpansAsync(caller.Project, name, version.Number, PageSize.Check(limit), ct);
    }

    /// <summary>Number of spans that ran a version.</summary>
    public async Task<long> CountSpansAsync(Caller caller, PromptVersion version, CancellationToken ct) =>
        (await prompts.UsesAsync(caller.Project, version.Name, ct)).FirstOrDefault(use => use.Number == version.Number)?.Spans ?? 0;

    /// <param name="from">A number or prompt label; null for the version before <paramref name="to"/>.</param>
    /// <param name="to">A number or prompt label; null for the newest version.</param>
    /// <exception cref="RequestException"><c>unknown_prompt</c>, <c>unknown_prompt_version</c>.</exception>
    public async Task<PromptComparison> DiffAsync(Caller caller, string name, string? from, string? to, CancellationToken ct)
    {
        var newer = await GetAsync(caller, name, to ?? PromptLabel.Latest, ct);
        var older = from is null && newer.Number == 1
            ? newer
            : await GetAsync(caller, name, from ?? (newer.Number - 1).ToString(CultureInfo.InvariantCulture), ct);
        return new(older, newer);
    }

    /// <summary>Points a prompt label at a version, or proposes it if the project protects the prompt label.</summary>
    /// <returns>The proposal that waits for a person; null if the prompt label points at the version now.</returns>
    /// <exception cref="RequestException"><c>invalid_label</c>, <c>unknown_prompt_version</c>.</exception>
    public async Task<PromptLabelProposal?> MoveLabelAsync(
        Caller caller, string name, string label, int version, string? reason, CancellationToken ct)
    {
        PromptNames.CheckLabel(label, "label");
        try
        {
            return await prompts.MoveAsync(
                caller.Project, name, label, version, RequestField.OptionalText("reason", reason), caller.Actor, clock.GetUtcNow(), ct);
        }
        catch (KeyNotFoundException none)
        {
            throw RequestException.NotFound("prompt_version", none.Message, "version");
        }
    }

    /// <summary>Protected prompt labels that are to move, or were, the newest first.</summary>
    /// <param name="state"><c>proposed</c>, <c>approved</c> or <c>rejected</c>; null for all.</param>
    /// <exception cref="RequestException"><c>invalid_state</c>, <c>invalid_limit</c>.</exception>
    public Task<IReadOnlyList<PromptLabelProposal>> ProposalsAsync(Caller caller, string? state, int limit, CancellationToken ct) =>
        prompts.ProposalsAsync(caller.Project, Wire.Choice<ProposalState>("state", state), PageSize.Check(limit), ct);

    /// <summary>Approves, which moves the prompt label, or rejects.</summary>
    /// <exception cref="RequestException"><c>unknown_proposal</c>, <c>already_decided</c>, <c>stale_proposal</c>.</exception>
    public async Task DecideAsync(Caller caller, long proposal, bool approve, CancellationToken ct)
    {
        RequestException? refusal = await prompts.DecideAsync(caller.Project, proposal, approve, caller.Actor, clock.GetUtcNow(), ct) switch
        {
            PromptDecision.Done => null,
            PromptDecision.Already => new(
                RequestErrorKind.Conflict, "already_decided",
                $"Proposal {proposal} was decided before: GET /api/v1/prompt-proposals says by whom."),
            PromptDecision.Stale => new(
                RequestErrorKind.Conflict, "stale_proposal",
                $"The prompt label has moved since proposal {proposal} was made: reject it, look at the diff and propose again."),
            _ => RequestException.NotFound("proposal", $"There is no proposal {proposal} in this project."),
        };
        if (refusal is not null)
            throw refusal;
    }

    /// <summary>Prompt labels that move only with a person's approval.</summary>
    public Task<IReadOnlyList<string>> ProtectedLabelsAsync(Caller caller, CancellationToken ct) =>
        prompts.ProtectedAsync(caller.Project, ct);

    /// <summary>Sets which prompt labels move only with a person's approval.</summary>
    /// <exception cref="RequestException"><c>invalid_labels</c>.</exception>
    public async Task<IReadOnlyList<string>> ProtectLabelsAsync(Caller caller, IReadOnlyList<string> labels, CancellationToken ct)
    {
        const int Most = 50;
        if (labels.Count > Most)
            throw RequestException.BadField("labels", $"`labels` must be at most {Most} names.");
        foreach (var label in labels)
            PromptNames.CheckLabel(label, "labels");
        await prompts.ProtectAsync(caller.Project, [.. labels.Distinct()], caller.Actor, clock.GetUtcNow(), ct);
        return await prompts.ProtectedAsync(caller.Project, ct);
    }

    static (PromptType Type, string Template) Template(JsonElement given)
    {
        var (type, template) = given.ValueKind switch
        {
            JsonValueKind.String => (PromptType.Text, given.GetString()!),
            JsonValueKind.Array => (PromptType.Chat, given.GetRawText()),
            _ => throw RequestException.BadField(
                "template", "`template` must be a text, or a list of messages [{\"role\": \"system\", \"content\": \"...\"}]."),
        };
        if (PromptTemplate.Wrong(type, template) is { } bad)
            throw RequestException.BadField("template", $"`template` {bad}");
        if (type == PromptType.Chat)
            template = PromptTemplate.Write(PromptTemplate.Messages(type, template));
        return PromptTemplate.Messages(type, template).Any(message => SpanRules.Text(message.Content) is not null)
            ? throw RequestException.BadField("template", "`template` holds a NUL character or half of a surrogate pair: remove it.")
            : (type, template);
    }

    async Task<LabelledPromptVersion> LabelledAsync(PromptVersion version, CancellationToken ct)
    {
        var newest = await prompts.FindAsync(version.Project, version.Name, PromptLabel.Latest, ct);
        return new(version, await prompts.LabelsAsync(version.Project, version.Name, ct), newest?.Number ?? version.Number);
    }

    static RequestException Unknown(string name) =>
        RequestException.NotFound("prompt", $"There is no prompt `{name}`: POST /api/v1/prompts/{name}/versions makes it.", "name");
}
