using System.Text.Json;

namespace Flywheel.TestServer;

/// <summary>One request that the server got.</summary>
/// <param name="Path">Such as `/v1/chat/completions`.</param>
/// <param name="Headers">Names ignore case.</param>
/// <param name="Body">The parsed JSON; of kind Undefined when it was none.</param>
public sealed record ModelRequest(string Path, IReadOnlyDictionary<string, string> Headers, JsonElement Body, DateTimeOffset At)
{
    public string? Model => Text("model");

    public bool Stream =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;

    /// <summary>(role, text) in order; Anthropic's system prompt comes first as a system message.</summary>
    public IReadOnlyList<(string Role, string Text)> Messages
    {
        get
        {
            var messages = new List<(string, string)>();
            if (Body.ValueKind != JsonValueKind.Object)
                return messages;
            if (Body.TryGetProperty("system", out var system))
                messages.Add(("system", Content(system)));
            if (Body.TryGetProperty("messages", out var list))
                foreach (var message in list.EnumerateArray())
                    messages.Add((message.GetProperty("role").GetString()!,
                        message.TryGetProperty("content", out var content) ? Content(content) : ""));
            return messages;
        }
    }

    /// <summary>Text of the last user message; empty when there is none.</summary>
    public string Question => Messages.LastOrDefault(message => message.Role == "user").Text ?? "";

    /// <summary>Texts of an embeddings request.</summary>
    public IReadOnlyList<string> Inputs => Body.TryGetProperty("input", out var input)
        ? input.ValueKind == JsonValueKind.Array ? [.. input.EnumerateArray().Select(text => text.GetString()!)] : [input.GetString()!]
        : [];

    private string? Text(string name) =>
        Body.ValueKind == JsonValueKind.Object && Body.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string Content(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Concat(content.EnumerateArray()
            .Where(part => part.TryGetProperty("text", out _))
            .Select(part => part.GetProperty("text").GetString())),
        _ => "",
    };
}
