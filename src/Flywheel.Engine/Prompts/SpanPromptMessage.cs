using System.Text.Json;

namespace Flywheel.Engine.Prompts;

/// <summary>One message of the prompt that a span got.</summary>
/// <param name="Demonstration">Id of the demonstration that it belongs to; null for what the application wrote.</param>
/// <param name="Parts">As the span recorded them, when the message is more than one text.</param>
public sealed record SpanPromptMessage(string Role, string Content, Guid? Demonstration, JsonElement? Parts);
