using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>What a node of the application's graph does; decides which validators fit it.</summary>
public enum NodeKind
{
    Other,
    Classifier,
    Writer,
    Codegen,
    Retriever,
    Tool,
}

/// <summary>A span's row number in the database; rises in the order of arrival.</summary>
public readonly record struct SpanId(long Value);

/// <summary>How callers name a span: the ids that their tracing gave it.</summary>
public readonly record struct SpanKey(string Trace, string Span)
{
    public override string ToString() => $"{Trace}/{Span}";
}

/// <summary>A span as it arrives, already checked (see <see cref="SpanRules"/>).</summary>
public sealed record NewSpan
{
    public required SpanKey Key { get; init; }
    /// <summary>Span id of the caller within the trace; null for a root.</summary>
    public string? ParentId { get; init; }
    public required string Node { get; init; }
    public NodeKind Kind { get; init; }
    /// <summary>What the node was asked: plain text, or JSON text when the sender sent structure.</summary>
    public string? Input { get; init; }
    /// <summary>What it answered; null when it failed before answering.</summary>
    public string? Output { get; init; }
    /// <summary>Why the call failed; null when it did not.</summary>
    public string? Error { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public double DurationMs { get; init; }
    public string? Session { get; init; }
    public string? EndUser { get; init; }
    public string? Model { get; init; }
    public int? InputTokens { get; init; }
    public int? OutputTokens { get; init; }
    public double? CostUsd { get; init; }
    /// <summary>JSON object of everything else the sender knew; null when there was nothing.</summary>
    public string? Attributes { get; init; }
    /// <summary>Ids of the demonstrations that stood in the prompt, in prompt order.</summary>
    public IReadOnlyList<Guid> Demonstrations { get; init; } = [];
}

/// <summary>A stored span.</summary>
public sealed record Span(SpanId Id, ProjectId Project, NewSpan Content, DateTimeOffset ReceivedAt)
{
    public SpanKey Key => Content.Key;
}
