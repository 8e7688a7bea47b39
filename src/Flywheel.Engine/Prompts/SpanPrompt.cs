namespace Flywheel.Engine.Prompts;

/// <summary>The prompt that a span got, message by message.</summary>
/// <param name="Prompt">Name of the registry's prompt; null when the span names none.</param>
/// <param name="Exact">The messages are those that went to the model. False when the span recorded none: then they are its demonstrations,
/// as
/// they read now, and its input.</param>
/// <param name="MissingDemonstrations">Ids that the span names and that its messages do not show: deleted, or changed since.</param>
public sealed record SpanPrompt(
    string TraceId, string SpanId, string? Prompt, int? Version, bool Exact, IReadOnlyList<SpanPromptMessage> Messages,
    IReadOnlyList<Guid> MissingDemonstrations);
