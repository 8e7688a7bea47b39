using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Messages;

/// <summary>Messages in the shape of the OpenTelemetry GenAI conventions v1.41.1: <c>[{role, parts: [{type, …}]}]</c>.</summary>
internal static class GenAiMessages
{
    /// <param name="finishReason">Null for input messages, which have none.</param>
    public static void Write(Utf8JsonWriter json, IEnumerable<ChatMessage> messages, string? finishReason = null)
    {
        json.WriteStartArray();
        foreach (var message in messages)
        {
            json.WriteStartObject();
            json.WriteString("role", message.Role.Value);
            AttributeJson.WriteText(json, "name", message.AuthorName);
            json.WriteStartArray("parts");
            foreach (var content in message.Contents)
                WritePart(json, content);
            json.WriteEndArray();
            AttributeJson.WriteText(json, "finish_reason", finishReason);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary><c>[{name, arguments}]</c>, without call ids: those differ each time and would hide that two answers are equal.</summary>
    public static void WriteCalls(Utf8JsonWriter json, IEnumerable<FunctionCallContent> calls)
    {
        json.WriteStartArray();
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("name", call.Name);
            WriteArguments(json, call);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WritePart(Utf8JsonWriter json, AIContent content)
    {
        if (content is UsageContent)
            return;
        json.WriteStartObject();
        switch (content)
        {
            case TextContent text:
                json.WriteString("type", "text");
                AttributeJson.WriteText(json, "content", text.Text);
                break;
            case TextReasoningContent reasoning:
                json.WriteString("type", "reasoning");
                AttributeJson.WriteText(json, "content", reasoning.Text);
                break;
            case FunctionCallContent call:
                json.WriteString("type", "tool_call");
                AttributeJson.WriteText(json, "id", call.CallId);
                json.WriteString("name", call.Name);
                WriteArguments(json, call);
                break;
            case FunctionResultContent result:
                json.WriteString("type", "tool_call_response");
                AttributeJson.WriteText(json, "id", result.CallId);
                json.WritePropertyName("response");
                AttributeJson.WriteValue(json, result.Result);
                break;
            case UriContent link:
                json.WriteString("type", "uri");
                AttributeJson.WriteText(json, "mime_type", link.MediaType);
                AttributeJson.WriteText(json, "uri", link.Uri.ToString());
                break;
            case DataContent data:
                // The bytes stay out: a few pictures would outweigh every text of the trace.
                json.WriteString("type", "blob");
                AttributeJson.WriteText(json, "mime_type", data.MediaType);
                json.WriteNumber("size", data.Data.Length);
                break;
            case ErrorContent error:
                json.WriteString("type", "error");
                AttributeJson.WriteText(json, "content", error.Message);
                break;
            default:
                json.WriteString("type", content.GetType().Name);
                break;
        }
        json.WriteEndObject();
    }

    static void WriteArguments(Utf8JsonWriter json, FunctionCallContent call)
    {
        json.WriteStartObject("arguments");
        foreach (var (name, value) in call.Arguments ?? new Dictionary<string, object?>())
        {
            json.WritePropertyName(name);
            AttributeJson.WriteValue(json, value);
        }
        json.WriteEndObject();
    }
}
