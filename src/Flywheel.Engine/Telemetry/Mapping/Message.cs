using System.Text;
using System.Text.Json;

namespace Flywheel.Engine.Telemetry.Mapping;

/// <summary>A message in the normal form of the GenAI conventions, with the texts that columns are made from.</summary>
/// <param name="Json">The message as JSON: <c>{"role":…,"parts":[…]}</c>.</param>
/// <param name="Text">Its text parts joined; null when it has none.</param>
/// <param name="Calls">Its tool calls as <c>[{"name":…,"arguments":…}]</c>, as the .NET client records them; null when it has none.</param>
/// <param name="IsWhole">It says why it ended; streams that were sent piece by piece do not.</param>
sealed record Message(string Role, string? Text, string? Calls, string Json, bool IsWhole = false);

/// <summary>Brings messages of every dialect into one form.</summary>
static class Messages
{
    /// <param name="role">The role of messages that name none.</param>
    public static List<Message> Read(JsonElement json, string role)
    {
        var messages = new List<Message>();
        Collect(json, role, messages);
        return messages;
    }

    public static Message OfText(string role, string text) => Make(role, null, null, parts => Text(parts, text));

    /// <summary>The messages as a JSON array.</summary>
    public static string Json(IReadOnlyList<Message> messages) => "[" + string.Join(',', messages.Select(message => message.Json)) + "]";

    /// <summary>What was asked: the last thing that a user said, else the last message that has text.</summary>
    public static string? Input(IReadOnlyList<Message> messages) =>
        messages.LastOrDefault(message => message.Role is "user" && message.Text is not null)?.Text
        ?? messages.LastOrDefault(message => message.Text is not null)?.Text;

    /// <summary>What was answered: the last message's text (of an answer in pieces all of them), else the tools that it called.</summary>
    public static string? Output(IReadOnlyList<Message> messages) =>
        LastText(messages)
        ?? messages.LastOrDefault(message => message.Calls is not null)?.Calls
        ?? messages.LastOrDefault(message => message.Text is not null)?.Text;

    static string? LastText(IReadOnlyList<Message> messages)
    {
        var end = messages.Count - 1;
        while (end >= 0 && (messages[end].Text is not { Length: > 0 } || messages[end].Role == "tool"))
            end--;
        if (end < 0)
            return null;
        var start = end;
        while (start > 0 && !messages[start].IsWhole && messages[start - 1] is { Text: not null, IsWhole: false, Calls: null } before
            && before.Role == messages[end].Role)
            start--;
        return start == end ? messages[end]
            .Text : string.Concat(messages.Skip(start).Take(end - start + 1).Select(message => message.Text));
    }

    static void Collect(JsonElement json, string role, List<Message> into)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.String:
                into.Add(OfText(role, json.GetString()!));
                break;
            case JsonValueKind.Array:
                // A bare list of parts is one message; a list of messages is many.
                if (json.EnumerateArray().Any() && json.EnumerateArray().All(IsPart))
                    into.Add(Make(role, null, null, parts => Parts(parts, json)));
                else
                    foreach (var item in json.EnumerateArray())
                        Collect(item, role, into);
                break;
            case JsonValueKind.Object:
                CollectObject(json, role, into);
                break;
        }
    }

    static void CollectObject(JsonElement json, string role, List<Message> into)
    {
        if (json.TryGetProperty("message", out var inner) && inner.ValueKind == JsonValueKind.Object)
        {
            // A choice: `{index, finish_reason, message}`.
            into.Add(One(inner, Name(inner, "role") ?? "assistant", Name(json, "finish_reason")));
            return;
        }
        if (json.TryGetProperty("role", out _) || json.TryGetProperty("parts", out _) || json.TryGetProperty("content", out _)
            || json.TryGetProperty("tool_calls", out _))
        {
            into.Add(One(json, Name(json, "role") ?? role, Name(json, "finish_reason") ?? Name(json, "finishReason")));
            return;
        }
        if (json.TryGetProperty("system", out var system))
            Collect(system, "system", into);
        foreach (var name in (ReadOnlySpan<string>)["messages", "prompt", "contents", "input", "choices"])
            if (json.TryGetProperty(name, out var list))
            {
                Collect(list, role, into);
                return;
            }
        if (IsPart(json))
            into.Add(Make(role, null, null, parts => Part(parts, json)));
    }

    static bool IsPart(JsonElement item) => item.ValueKind == JsonValueKind.Object && !item.TryGetProperty("role", out _)
        && !item.TryGetProperty("message", out _)
        && (item.TryGetProperty("type", out _) || item.TryGetProperty("toolName", out _) || item.TryGetProperty("text", out _));

    static Message One(JsonElement json, string role, string? finish)
    {
        // Already normal: kept as it is, with what we do not know.
        if (json.TryGetProperty("parts", out var given) && given.ValueKind == JsonValueKind.Array
            && given.EnumerateArray().All(part => part.TryGetProperty("type", out _)))
        {
            var text = new StringBuilder();
            var hasText = false;
            List<(string, string)>? calls = null;
            foreach (var part in given.EnumerateArray())
                if (Name(part, "type") == "text" && Name(part, "content") is { } content)
                {
                    text.Append(content);
                    hasText = true;
                }
                else if (Name(part, "type") is "tool_call" or "server_tool_call")
                    (calls ??= []).Add((Name(part, "name") ?? "",
                        part.TryGetProperty("arguments", out var arguments) ? Raw(arguments) : "{}"));
                else if (Name(part, "type") is "tool_call_response"
                    && (part.TryGetProperty("response", out var response) || part.TryGetProperty("result", out response)))
                {
                    text.Append(response.ValueKind == JsonValueKind.String ? response.GetString() : Raw(response));
                    hasText = true;
                }
            return new(Name(json, "role") ?? role, hasText ? text.ToString() : null, CallsJson(calls), Raw(json),
                json.TryGetProperty("finish_reason", out _));
        }
        return Make(role, Name(json, "name"), finish, parts =>
        {
            var toolCallId = Name(json, "tool_call_id") ?? Name(json, "id");
            foreach (var name in (ReadOnlySpan<string>)["reasoning_content", "thinking"])
                if (Name(json, name) is { Length: > 0 } thought)
                    parts.Reasoning(thought);
            foreach (var name in (ReadOnlySpan<string>)["parts", "content", "contents"])
                if (json.TryGetProperty(name, out var content))
                {
                    if (role == "tool" && content.ValueKind != JsonValueKind.Null)
                        parts.Response(toolCallId, content);
                    else
                        Parts(parts, content);
                    break;
                }
            if ((json.TryGetProperty("tool_calls", out var calls)
                // LangChain's place for what it has no field for.
                || (json.TryGetProperty("additional_kwargs", out var more) && more.ValueKind == JsonValueKind.Object
                && more.TryGetProperty("tool_calls", out calls)))
                && calls.ValueKind == JsonValueKind.Array)
                foreach (var call in calls.EnumerateArray())
                    Call(parts, call);
        });
    }

    static void Parts(PartWriter parts, JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
            Text(parts, content.GetString()!);
        else if (content.ValueKind == JsonValueKind.Array)
            foreach (var item in content.EnumerateArray())
                if (item.ValueKind == JsonValueKind.String)
                    Text(parts, item.GetString()!);
                else
                    Part(parts, item);
        else if (content.ValueKind == JsonValueKind.Object)
            Part(parts, content);
    }

    static void Part(PartWriter parts, JsonElement part)
    {
        if (part.ValueKind != JsonValueKind.Object)
        {
            parts.Other(part);
            return;
        }
        var type = Name(part, "type");
        if (type is "tool_call" or "tool-call" or "tool_use" or "function_call" or "function"
            || (type is null && part.TryGetProperty("toolName", out _)))
            Call(parts, part);
        else if (type is "tool-result" or "tool_result" or "tool_call_response")
            parts.Response(Name(part, "toolCallId") ?? Name(part, "tool_use_id") ?? Name(part, "id"),
                part.TryGetProperty("output", out var result) || part.TryGetProperty("result", out result)
                    || part.TryGetProperty("response", out result)
                    || part.TryGetProperty("content", out result) ? result : default);
        else if (type is "reasoning" or "thinking"
            && (Name(part, "content") ?? Name(part, "text") ?? Name(part, "thinking")) is { } thought)
            parts.Reasoning(thought);
        else if (type is null or "text" or "input_text" or "output_text" && (Name(part, "text") ?? Name(part, "content")) is { } text)
            Text(parts, text);
        else
            parts.Other(part);
    }

    static void Call(PartWriter parts, JsonElement call)
    {
        var function = call.TryGetProperty("function", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : call;
        parts.Call(
            Name(call, "id") ?? Name(call, "toolCallId") ?? Name(call, "call_id"),
            Name(function, "name") ?? Name(function, "toolName") ?? "",
            function.TryGetProperty("arguments", out var arguments) || function.TryGetProperty("input", out arguments)
                || function.TryGetProperty("args", out arguments)
                ? arguments.ValueKind == JsonValueKind.String ? arguments.GetString()! : Raw(arguments)
                : "{}");
    }

    static void Text(PartWriter parts, string text) => parts.Text(text);

    public static Message Make(string role, string? name, string? finish, Action<PartWriter> write)
    {
        using var parts = new PartWriter(role, name);
        write(parts);
        return parts.End(finish);
    }

    static string? CallsJson(List<(string Name, string Arguments)>? calls) => calls is null ? null : ValueJson.Make(json =>
    {
        json.WriteStartArray();
        foreach (var (name, arguments) in calls)
        {
            json.WriteStartObject();
            json.WriteString("name", name);
            json.WritePropertyName("arguments");
            PartWriter.WriteArguments(json, arguments);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    });

    internal static string? CallsOf(List<(string, string)>? calls) => CallsJson(calls);

    static string? Name(JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    internal static string Raw(JsonElement json) => ValueJson.Make(json.WriteTo);
}

/// <summary>Writes one message's parts, and notes the texts that are wanted of it.</summary>
sealed class PartWriter : IDisposable
{
    readonly MemoryStream _buffer = new();
    readonly Utf8JsonWriter _json;
    readonly string _role;
    readonly StringBuilder _text = new();
    bool _hasText;
    List<(string, string)>? _calls;

    public PartWriter(string role, string? name)
    {
        _role = role;
        _json = new Utf8JsonWriter(_buffer, ValueJson.Options);
        _json.WriteStartObject();
        _json.WriteString("role", role);
        if (name is not null)
            _json.WriteString("name", name);
        _json.WriteStartArray("parts");
    }

    public void Text(string text)
    {
        _text.Append(text);
        _hasText = true;
        Content("text", text);
    }

    public void Reasoning(string text) => Content("reasoning", text);

    public void Call(string? id, string name, string arguments)
    {
        (_calls ??= []).Add((name, arguments));
        _json.WriteStartObject();
        _json.WriteString("type", "tool_call");
        if (id is not null)
            _json.WriteString("id", id);
        _json.WriteString("name", name);
        _json.WritePropertyName("arguments");
        WriteArguments(_json, arguments);
        _json.WriteEndObject();
    }

    public void Response(string? id, JsonElement response)
    {
        _text.Append(response.ValueKind == JsonValueKind.String ? response.GetString() : response.ValueKind == JsonValueKind.Undefined
            ? "" : Messages.Raw(response));
        _hasText = true;
        _json.WriteStartObject();
        _json.WriteString("type", "tool_call_response");
        if (id is not null)
            _json.WriteString("id", id);
        _json.WritePropertyName("response");
        if (response.ValueKind == JsonValueKind.Undefined)
            _json.WriteNullValue();
        else
            response.WriteTo(_json);
        _json.WriteEndObject();
    }

    public void Other(JsonElement part) => part.WriteTo(_json);

    public Message End(string? finish)
    {
        _json.WriteEndArray();
        if (finish is not null)
            _json.WriteString("finish_reason", finish);
        _json.WriteEndObject();
        _json.Flush();
        return new(_role, _hasText ? _text.ToString() : null, Messages.CallsOf(_calls),
            Encoding.UTF8.GetString(_buffer.GetBuffer(), 0, (int)_buffer.Length), finish is not null);
    }

    /// <summary>Structure where the text holds one, else the text.</summary>
    public static void WriteArguments(Utf8JsonWriter json, string arguments)
    {
        using var parsed = ValueJson.Parse(arguments);
        if (parsed is null)
            json.WriteStringValue(arguments);
        else
            parsed.RootElement.WriteTo(json);
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }

    void Content(string type, string text)
    {
        _json.WriteStartObject();
        _json.WriteString("type", type);
        _json.WriteString("content", text);
        _json.WriteEndObject();
    }
}
