using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Prompts;

/// <summary>Shows the prompt that a span got, with its demonstrations marked.</summary>
public sealed class SpanPromptService(ISpanStore spans, IDemonstrationStore demonstrations)
{
    /// <exception cref="Core.RequestException"><c>unknown_span</c>.</exception>
    public async Task<SpanPrompt> GetAsync(Caller caller, string traceId, string spanId, CancellationToken ct)
    {
        var span = await spans.GetAsync(caller.Project, traceId, spanId, ct);
        var shots = new List<(Guid Id, string Input, string Output)>();
        foreach (var id in span.Content.Demonstrations)
            if (await demonstrations.GetAsync(span.Project, id, ct) is { } demonstration)
                shots.Add((id, demonstration.Input, demonstration.Output));
        var recorded = Recorded(span.Content.Attributes);
        var messages = recorded ?? [];
        if (recorded is null)
        {
            foreach (var (_, input, output) in shots)
                messages.AddRange([new("user", input, null, null), new("assistant", output, null, null)]);
            messages.Add(new("user", span.Content.Input ?? "", null, null));
        }
        var found = Mark(messages, shots);
        var marks = SpanMarks.Of(span.Content.Attributes);
        return new(
            span.Key.Trace, span.Key.Span, marks.Prompt, marks.PromptVersion, recorded is not null, messages,
            [.. span.Content.Demonstrations.Where(id => !found.Contains(id))]);
    }

    /// <summary>System instructions and messages of the span; null when it recorded none.</summary>
    static List<SpanPromptMessage>? Recorded(string? attributes)
    {
        if (attributes is null)
            return null;
        JsonElement root;
        try
        {
            root = JsonElement.Parse(attributes);
        }
        catch (JsonException)
        {
            return null;
        }
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("gen_ai.input.messages", out var input)
            || input.ValueKind != JsonValueKind.Array)
            return null;
        var messages = new List<SpanPromptMessage>();
        if (root.TryGetProperty("gen_ai.system_instructions", out var system) && system.ValueKind == JsonValueKind.Array)
            messages.Add(Message("system", system));
        foreach (var message in input.EnumerateArray())
            if (message.ValueKind == JsonValueKind.Object)
                messages.Add(Message(
                    message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String ? role.GetString()! : "",
                    message.TryGetProperty("parts", out var parts) ? parts : default));
        return messages;
    }

    static SpanPromptMessage Message(string role, JsonElement parts)
    {
        if (parts.ValueKind != JsonValueKind.Array)
            return new(role, "", null, null);
        var texts = parts.EnumerateArray().Where(part =>
            part.ValueKind == JsonValueKind.Object && part.TryGetProperty("content", out var content)
                && content.ValueKind == JsonValueKind.String).ToArray();
        return new(
            role, string.Join('\n', texts.Select(part => part.GetProperty("content").GetString())), null,
            texts.Length == 1 && parts.GetArrayLength() == 1 ? null : parts);
    }

    /// <summary>Finds each demonstration as a pair of messages, in the order in which the span names them.</summary>
    static HashSet<Guid> Mark(List<SpanPromptMessage> messages, List<(Guid Id, string Input, string Output)> shots)
    {
        var found = new HashSet<Guid>();
        var from = 0;
        foreach (var (id, input, output) in shots)
            for (var i = from; i + 1 < messages.Count; i++)
                // An application may wrap what its users wrote.
                if (messages[i] is { Role: "user" } asked && messages[i + 1] is { Role: "assistant" } answered
                    && asked.Content.Contains(input, StringComparison.Ordinal) && answered.Content == output)
                {
                    (messages[i], messages[i + 1]) = (asked with { Demonstration = id }, answered with { Demonstration = id });
                    found.Add(id);
                    from = i + 2;
                    break;
                }
        return found;
    }
}
