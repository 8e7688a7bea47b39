using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Prompts;
using Flywheel.Engine.Prompts;

namespace Flywheel.Server.Features.Prompts;

/// <param name="Template">A text, or for a chat prompt a list of <c>{role, content}</c>; <c>{{name}}</c> is a placeholder.</param>
/// <param name="Config">Model, temperature and what else belongs to this wording; an object.</param>
/// <param name="Labels">Prompt labels that then point at it; protected ones are proposed.</param>
public sealed record PromptBody(
    JsonElement Template, JsonElement? Config = null, string? Note = null, IReadOnlyList<string>? Labels = null, string? Author = null)
{
    internal NewPromptRequest Request() => new(Template, Config, Note, Labels);
}

/// <param name="Reason">Why, for the person who decides.</param>
public sealed record PromptLabelMoveBody(int Version, string? Reason = null, string? Author = null);

public sealed record PromptDecisionBody(string? Author = null);

public sealed record ProtectedPromptLabels(IReadOnlyList<string> Labels, string? Author = null);

/// <param name="Variables">A text for each placeholder.</param>
public sealed record RenderBody(Dictionary<string, string> Variables);

public sealed record PromptVersionView(
    string Name, int Version, string Type, JsonElement Template, JsonElement Config, IReadOnlyList<string> Variables,
    IReadOnlyList<string> Labels,
    string? Note, string Author, DateTimeOffset CreatedAt)
{
    internal static PromptVersionView Of(LabelledPromptVersion it) => Of(it.Version, it.Labels, it.Newest);

    public static PromptVersionView Of(PromptVersion it, IReadOnlyList<PromptLabel> labels, int newest) => new(
        it.Name, it.Number, Wire.Name(it.Type),
        it.Type == PromptType.Text ? JsonSerializer.SerializeToElement(it.Template) : JsonElement.Parse(it.Template),
        JsonElement.Parse(it.Config), PromptTemplate.Variables(it.Type, it.Template),
        [.. labels.Where(label => label.Number == it.Number).Select(label => label.Label),
            .. it.Number == newest ? [PromptLabel.Latest] : Array.Empty<string>()],
        it.Note, it.Author, it.CreatedAt);
}

public sealed record PromptList(IReadOnlyList<PromptSummaryView> Prompts);

public sealed record PromptSummaryView(string Name, string Type, int Versions, DateTimeOffset UpdatedAt, Dictionary<string, int> Labels)
{
    public static PromptSummaryView Of(PromptSummary it)
    {
        var labels = it.Labels.ToDictionary(label => label.Label, label => label.Number);
        labels[PromptLabel.Latest] = it.Versions;
        return new(it.Name, Wire.Name(it.Type), it.Versions, it.UpdatedAt, labels);
    }
}

/// <param name="Uses">Spans that ran each version.</param>
public sealed record PromptView(string Name, IReadOnlyList<PromptVersionView> Versions, IReadOnlyList<PromptUseView> Uses)
{
    internal static PromptView Of(string name, PromptHistory it) => new(
        name, [.. it.Versions.Select(version => PromptVersionView.Of(version, it.Labels, it.Versions[0].Number))],
        [.. it.Uses.Select(use => new PromptUseView(use.Number, use.Spans, use.First, use.Last))]);
}

public sealed record PromptUseView(int Version, long Spans, DateTimeOffset First, DateTimeOffset Last);

/// <param name="Diff">Unified; empty when both say the same.</param>
public sealed record PromptDiff(string Name, int From, int To, string Diff)
{
    internal static PromptDiff Of(PromptComparison it) => new(it.Newer.Name, it.Older.Number, it.Newer.Number, it.Diff);
}

public sealed record PromptLabelProposalView(
    long Id, string Name, string Label, int Version, int? From, string? Reason, string State, string Author, DateTimeOffset CreatedAt,
    string? DecidedBy, DateTimeOffset? DecidedAt)
{
    public static PromptLabelProposalView Of(PromptLabelProposal it) => new(
        it.Id, it.Name, it.Label, it.Number, it.From, it.Reason, Wire.Name(it.State), it.Author, it.CreatedAt, it.DecidedBy, it.DecidedAt);
}

public sealed record PromptLabelProposalList(IReadOnlyList<PromptLabelProposalView> Proposals);

/// <param name="Proposal">What waits for a person; null if the prompt label points at the version now.</param>
public sealed record PromptLabelMoved(string Name, string Label, int Version, PromptLabelProposalView? Proposal)
{
    internal static PromptLabelMoved Of(string name, string label, int version, PromptLabelProposal? proposal) =>
        new(name, label, version, proposal is null ? null : PromptLabelProposalView.Of(proposal));
}

public sealed record PromptSpan(string TraceId, string SpanId);

public sealed record PromptSpans(IReadOnlyList<PromptSpan> Spans);

public sealed record RenderedView(string Name, int Version, IReadOnlyList<PromptMessage> Messages);
