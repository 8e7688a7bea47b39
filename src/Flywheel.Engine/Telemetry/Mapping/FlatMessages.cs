using System.Globalization;
using Flywheel.Engine.Telemetry.Otlp;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>
/// Messages flattened into attributes: OpenInference's <c>llm.input_messages.0.message.content</c>, Traceloop's older
/// <c>gen_ai.prompt.0.content</c>.
/// </summary>
sealed class FlatMessages
{
    readonly SortedDictionary<int, Flat> _messages = [];

    public bool IsEmpty => _messages.Count == 0;

    /// <param name="rest">The key behind the prefix: <c>0.message.content</c>.</param>
    /// <returns>False when it is no part of a message.</returns>
    public bool Add(ReadOnlySpan<char> rest, in OtlpValue value)
    {
        if (!Index(ref rest, out var index))
            return false;
        if (rest.StartsWith("message."))
            rest = rest["message.".Length..];
        if (!_messages.TryGetValue(index, out var message))
            _messages[index] = message = new();
        if (rest.StartsWith("contents."))
            return Content(message, rest["contents.".Length..], value);
        if (rest.StartsWith("tool_calls."))
            return Call(message, rest["tool_calls.".Length..], value);
        var text = ValueJson.Text(value);
        switch (rest)
        {
            case "role": message.Role = text; break;
            case "content": message.Content = text; break;
            case "name": message.Name = text; break;
            case "tool_call_id": message.ToolCallId = text; break;
            case "finish_reason": message.Finish = text; break;
            case "function_call_name": message.CallOf(0).Name = text; break;
            case "function_call_arguments_json": message.CallOf(0).Arguments = text; break;
            default: message.Rest.Add((rest.ToString(), text)); break;
        }
        return true;
    }

    public List<Message> Build(string role, string? finish) =>
        [.. _messages.Values.Select((message, i) => message.Build(role, i == _messages.Count - 1 ? finish : null))];

    static bool Content(Flat message, ReadOnlySpan<char> rest, in OtlpValue value)
    {
        if (!Index(ref rest, out var index))
            return false;
        if (rest.StartsWith("message_content."))
            rest = rest["message_content.".Length..];
        if (!message.Contents.TryGetValue(index, out var content))
            message.Contents[index] = content = [];
        content[rest.ToString()] = ValueJson.Text(value);
        return true;
    }

    static bool Call(Flat message, ReadOnlySpan<char> rest, in OtlpValue value)
    {
        if (!Index(ref rest, out var index))
            return false;
        if (rest.StartsWith("tool_call."))
            rest = rest["tool_call.".Length..];
        if (rest.StartsWith("function."))
            rest = rest["function.".Length..];
        var call = message.CallOf(index);
        var text = ValueJson.Text(value);
        switch (rest)
        {
            case "id": call.Id = text; break;
            case "name": call.Name = text; break;
            case "arguments": call.Arguments = text; break;
        }
        return true;
    }

    static bool Index(ref ReadOnlySpan<char> rest, out int index)
    {
        var dot = rest.IndexOf('.');
        index = 0;
        if (dot <= 0 || !int.TryParse(rest[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out index))
            return false;
        rest = rest[(dot + 1)..];
        return true;
    }

    sealed class FlatCall
    {
        public string? Id { get; set; }
        public string? Name { get; set; }
        public string? Arguments { get; set; }
    }

    sealed class Flat
    {
        readonly SortedDictionary<int, FlatCall> _calls = [];

        public string? Role { get; set; }
        public string? Content { get; set; }
        public string? Name { get; set; }
        public string? ToolCallId { get; set; }
        public string? Finish { get; set; }
        public SortedDictionary<int, Dictionary<string, string>> Contents { get; } = [];
        public List<(string Key, string Value)> Rest { get; } = [];

        public FlatCall CallOf(int index)
        {
            if (!_calls.TryGetValue(index, out var call))
                _calls[index] = call = new();
            return call;
        }

        public Message Build(string role, string? finish) => Messages.Make(Role ?? role, Name, Finish ?? finish, parts =>
        {
            if (Content is not null)
                Text(parts, Content);
            foreach (var content in Contents.Values)
                if (content.TryGetValue("text", out var text))
                {
                    if (content.GetValueOrDefault("type") == "reasoning")
                        parts.Reasoning(text);
                    else
                        Text(parts, text);
                }
                else
                    parts.Other(System.Text.Json.JsonSerializer.SerializeToElement(content));
            foreach (var call in _calls.Values)
                parts.Call(call.Id, call.Name ?? "", call.Arguments ?? "{}");
            foreach (var (key, value) in Rest)
                parts.Other(System.Text.Json.JsonSerializer.SerializeToElement(
                    new Dictionary<string, string> { ["type"] = key, ["content"] = value }));
        });

        void Text(PartWriter parts, string text)
        {
            if (Role == "tool")
                parts.Response(ToolCallId, System.Text.Json.JsonSerializer.SerializeToElement(text));
            else
                parts.Text(text);
        }
    }
}
