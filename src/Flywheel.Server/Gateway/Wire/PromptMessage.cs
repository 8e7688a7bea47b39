using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>One message of a request, by where its members stand: OpenAI's chat messages and the items of a response's input.</summary>
readonly record struct PromptMessage(
    JsonSlice Whole, JsonSlice Type, JsonSlice Role, JsonSlice Content, JsonSlice Name, JsonSlice ToolCalls, JsonSlice CallId,
    JsonSlice Arguments,
    JsonSlice Output)
{
    /// <summary>Reads the object that the reader stands on.</summary>
    /// <param name="offset">Where the reader's bytes begin in the body.</param>
    public static PromptMessage Read(ref Utf8JsonReader json, int offset)
    {
        var start = (int)json.TokenStartIndex;
        JsonSlice type = default, role = default, content = default, name = default, calls = default, id = default, arguments = default,
        output = default;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("role"u8)) role = Value(ref json, offset);
            else if (json.ValueTextEquals("content"u8)) content = Value(ref json, offset);
            else if (json.ValueTextEquals("type"u8)) type = Value(ref json, offset);
            else if (json.ValueTextEquals("name"u8)) name = Value(ref json, offset);
            else if (json.ValueTextEquals("tool_calls"u8)) calls = Value(ref json, offset);
            else if (json.ValueTextEquals("tool_call_id"u8) || json.ValueTextEquals("call_id"u8)) id = Value(ref json, offset);
            else if (json.ValueTextEquals("arguments"u8)) arguments = Value(ref json, offset);
            else if (json.ValueTextEquals("output"u8)) output = Value(ref json, offset);
            else json.Skip();
        }
        return new(new JsonSlice(offset + start, (int)json.BytesConsumed - start), type, role, content, name, calls, id, arguments, output);
    }

    static JsonSlice Value(ref Utf8JsonReader json, int offset)
    {
        json.Read();
        return JsonSlice.Take(ref json, offset);
    }

    public bool HasRole(ReadOnlySpan<byte> body, ReadOnlySpan<byte> role) => Is(Role, body, role);

    public bool HasType(ReadOnlySpan<byte> body, ReadOnlySpan<byte> type) => Is(Type, body, type);

    static bool Is(JsonSlice slice, ReadOnlySpan<byte> body, ReadOnlySpan<byte> word) =>
        slice.IsString(body) && slice.Of(body)[1..^1].SequenceEqual(word);

    /// <summary>The text of the content: the string, or the text parts put together by line breaks.</summary>
    public string Text(ReadOnlySpan<byte> body)
    {
        if (Content.IsString(body))
            return JsonText.Text(Content.Of(body))!;
        if (!Content.IsArray(body))
            return "";
        var texts = new List<string>();
        var json = new Utf8JsonReader(Content.Of(body), JsonText.Strict);
        json.Read();
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartObject)
                continue;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isText = json.ValueTextEquals("text"u8);
                json.Read();
                if (isText && json.TokenType == JsonTokenType.String)
                    texts.Add(JsonText.Decode(json.ValueSpan));
                else
                    json.Skip();
            }
        }
        return string.Join('\n', texts);
    }
}
