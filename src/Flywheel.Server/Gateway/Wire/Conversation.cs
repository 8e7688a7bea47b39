using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>Prompts in the normal form of spans (OpenTelemetry GenAI v1.41.1): <c>[{role, parts: [{type, …}]}]</c>.</summary>
static class Conversation
{
    /// <summary>Every message of `messages` or `input`; a bare string is one user message.</summary>
    public static void Write(Utf8JsonWriter json, ReadOnlySpan<byte> body, JsonSlice prompt)
    {
        json.WriteStartArray();
        if (prompt.IsString(body))
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            json.WriteStartArray("parts"u8);
            WriteTextPart(json, "text"u8, prompt.Of(body)[1..^1]);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        else if (prompt.IsArray(body))
        {
            var reader = new Utf8JsonReader(prompt.Of(body), JsonText.Strict);
            reader.Read();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                if (reader.TokenType == JsonTokenType.StartObject)
                    WriteMessage(json, body, PromptMessage.Read(ref reader, prompt.Start));
                else
                    reader.Skip();
        }
        json.WriteEndArray();
    }

    /// <summary>The text of the last user message, which guards and retrieval go by; empty when there is none.</summary>
    public static string Question(ReadOnlySpan<byte> body, JsonSlice prompt)
    {
        if (prompt.IsString(body))
            return JsonText.Text(prompt.Of(body))!;
        return LastQuestion(body, prompt) is { } message ? message.Text(body) : "";
    }

    static PromptMessage? LastQuestion(ReadOnlySpan<byte> body, JsonSlice prompt)
    {
        if (!prompt.IsArray(body))
            return null;
        PromptMessage? last = null;
        var reader = new Utf8JsonReader(prompt.Of(body), JsonText.Strict);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                var message = PromptMessage.Read(ref reader, prompt.Start);
                if (message.HasRole(body, "user"u8))
                    last = message;
            }
            else
            {
                reader.Skip();
            }
        return last;
    }

    /// <summary>The last question's content when it is one string, which a guard may then replace; absent otherwise.</summary>
    public static JsonSlice QuestionText(ReadOnlySpan<byte> body, JsonSlice prompt)
    {
        if (prompt.IsString(body))
            return prompt;
        return LastQuestion(body, prompt) is { } message && message.Content.IsString(body) ? message.Content : default;
    }

    /// <summary>Where demonstrations go: behind the leading instructions.</summary>
    /// <param name="after">The offset in the body.</param>
    /// <returns>False when the prompt is no list.</returns>
    public static bool TryFindInstructionsEnd(
        ReadOnlySpan<byte> body, JsonSlice prompt, out int after, out bool hasInstructions, out bool hasMore)
    {
        (after, hasInstructions, hasMore) = (prompt.Start + 1, false, false);
        if (!prompt.IsArray(body))
            return false;
        var reader = new Utf8JsonReader(prompt.Of(body), JsonText.Strict);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            var message = PromptMessage.Read(ref reader, prompt.Start);
            if (!message.HasRole(body, "system"u8) && !message.HasRole(body, "developer"u8))
            {
                hasMore = true;
                break;
            }
            (after, hasInstructions) = (message.Whole.End, true);
        }
        return true;
    }

    static void WriteMessage(Utf8JsonWriter json, ReadOnlySpan<byte> body, PromptMessage message)
    {
        json.WriteStartObject();
        if (message.HasType(body, "function_call"u8))
        {
            json.WriteString("role"u8, "assistant"u8);
            json.WriteStartArray("parts"u8);
            WriteToolCall(json, Inner(body, message.CallId), Inner(body, message.Name), Inner(body, message.Arguments));
            json.WriteEndArray();
        }
        else if (message.HasType(body, "function_call_output"u8))
        {
            json.WriteString("role"u8, "tool"u8);
            json.WriteStartArray("parts"u8);
            WriteToolResponse(json, body, message.CallId, message.Output);
            json.WriteEndArray();
        }
        else
        {
            if (message.Role.IsString(body))
                JsonText.Copy(json, "role"u8, Inner(body, message.Role));
            if (message.Name.IsString(body))
                JsonText.Copy(json, "name"u8, Inner(body, message.Name));
            json.WriteStartArray("parts"u8);
            if (message.HasRole(body, "tool"u8))
                WriteToolResponse(json, body, message.CallId, message.Content);
            else
                WriteContent(json, body, message.Content);
            WriteToolCalls(json, body, message.ToolCalls);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    static ReadOnlySpan<byte> Inner(ReadOnlySpan<byte> body, JsonSlice text) => text.IsString(body) ? text.Of(body)[1..^1] : default;

    static void WriteContent(Utf8JsonWriter json, ReadOnlySpan<byte> body, JsonSlice content)
    {
        if (content.IsString(body))
        {
            WriteTextPart(json, "text"u8, content.Of(body)[1..^1]);
            return;
        }
        if (!content.IsArray(body))
            return;
        var bytes = content.Of(body);
        var reader = new Utf8JsonReader(bytes, JsonText.Strict);
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            if (reader.TokenType == JsonTokenType.StartObject)
                ContentPart.Write(json, bytes, ref reader);
            else
                reader.Skip();
    }

    static void WriteToolCalls(Utf8JsonWriter json, ReadOnlySpan<byte> body, JsonSlice calls)
    {
        if (!calls.IsArray(body))
            return;
        var bytes = calls.Of(body);
        var reader = new Utf8JsonReader(bytes, JsonText.Strict);
        while (reader.Read())
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                continue;
            JsonSlice id = default, name = default, arguments = default;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isId = reader.ValueTextEquals("id"u8);
                var isFunction = reader.ValueTextEquals("function"u8) || reader.ValueTextEquals("custom"u8);
                reader.Read();
                if (isId)
                    id = JsonSlice.Take(ref reader);
                else if (isFunction && reader.TokenType == JsonTokenType.StartObject)
                    ReadFunction(ref reader, ref name, ref arguments);
                else
                    reader.Skip();
            }
            WriteToolCall(json, Inner(bytes, id), Inner(bytes, name), Inner(bytes, arguments));
        }
    }

    static void ReadFunction(ref Utf8JsonReader reader, ref JsonSlice name, ref JsonSlice arguments)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = reader.ValueTextEquals("name"u8);
            var isArguments = reader.ValueTextEquals("arguments"u8) || reader.ValueTextEquals("input"u8);
            reader.Read();
            var value = JsonSlice.Take(ref reader);
            if (isName)
                name = value;
            else if (isArguments)
                arguments = value;
        }
    }

    /// <param name="arguments">The escaped text that holds the arguments' JSON.</param>
    public static void WriteToolCall(Utf8JsonWriter json, ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> arguments)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "tool_call"u8);
        if (!id.IsEmpty)
            JsonText.Copy(json, "id"u8, id);
        JsonText.Copy(json, "name"u8, name);
        json.WritePropertyName("arguments"u8);
        JsonText.CopyParsed(json, arguments);
        json.WriteEndObject();
    }

    static void WriteToolResponse(Utf8JsonWriter json, ReadOnlySpan<byte> body, JsonSlice id, JsonSlice response)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "tool_call_response"u8);
        if (id.IsString(body))
            JsonText.Copy(json, "id"u8, Inner(body, id));
        json.WritePropertyName("response"u8);
        if (response.IsPresent)
            JsonText.CopyValue(json, response.Of(body));
        else
            json.WriteNullValue();
        json.WriteEndObject();
    }

    public static void WriteTextPart(Utf8JsonWriter json, ReadOnlySpan<byte> type, ReadOnlySpan<byte> escaped)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        JsonText.Copy(json, "content"u8, escaped);
        json.WriteEndObject();
    }
}
