using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>A call's attributes under the names of the OpenTelemetry GenAI conventions v1.41.1, and ours after them.</summary>
static class SpanAttributes
{
    [ThreadStatic]
    static (ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Json)? t_writer;

    public static string Write(GatewayCall call, bool usageIsEstimated)
    {
        // Kept by the thread: a writer and its buffer are the largest things that a record would allocate.
        t_writer ??= Create();
        var (buffer, json) = t_writer.Value;
        buffer.ResetWrittenCount();
        json.Reset();
        Fill(json, call, usageIsEstimated, withMessages: true);
        if (buffer.WrittenCount > SpanRules.MaxTextLength)
        {
            var size = buffer.WrittenCount;
            t_writer = Create();
            (buffer, json) = t_writer.Value;
            Fill(json, call, usageIsEstimated, withMessages: false, size);
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    static (ArrayBufferWriter<byte>, Utf8JsonWriter) Create()
    {
        var buffer = new ArrayBufferWriter<byte>(8 * 1024);
        return (buffer, new Utf8JsonWriter(
            buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }));
    }

    static void Fill(Utf8JsonWriter json, GatewayCall call, bool usageIsEstimated, bool withMessages, int omitted = 0)
    {
        var reply = call.Reply;
        json.WriteStartObject();
        json.WriteString("gen_ai.operation.name"u8, call.Protocol.Operation);
        if (call.Route is { } route)
        {
            json.WriteString("gen_ai.provider.name"u8, route.Upstream.Name);
            json.WriteString("gen_ai.request.model"u8, route.Model);
        }
        if (call.RequestedModel != call.Route?.Model)
            json.WriteString("flywheel.requested_model"u8, call.RequestedModel);
        if (call.Outline.Stream)
            json.WriteBoolean("gen_ai.request.stream"u8, true);
        WriteAnswer(json, call, reply, usageIsEstimated);
        if (withMessages)
            WriteMessages(json, call, reply);
        else
            json.WriteNumber("flywheel.messages_omitted_characters"u8, omitted);
        WriteRetrieval(json, call);
        if (call.Guarded is { Findings.Count: > 0 } guarded)
        {
            json.WritePropertyName(GuardRecord.Attribute);
            GuardRecord.Write(json, guarded, call.Question ?? "");
            json.WriteNumber("flywheel.guard_ms"u8, Math.Round(guarded.Milliseconds, 3));
        }
        if (call.Filled is { } prompt)
        {
            json.WriteString(SpanMarks.PromptKey, prompt.Name);
            json.WriteNumber(SpanMarks.PromptVersionKey, prompt.Number);
            if (call.Rules.Settings.PromptVersion is null)
                json.WriteString(SpanMarks.PromptLabelKey, call.Rules.Settings.PromptLabel ?? Core.Prompts.PromptLabel.Production);
        }
        if (call.Rules.Settings.Variant is { } variant)
            json.WriteString("flywheel.variant"u8, variant);
        if (call.Cache is { } cache)
            json.WriteString("flywheel.cache"u8, cache);
        WriteAttempts(json, call);
        json.WriteEndObject();
        json.Flush();
    }

    static void WriteAnswer(Utf8JsonWriter json, GatewayCall call, Reply? reply, bool usageIsEstimated)
    {
        if (reply?.Id is { } id)
            json.WriteString("gen_ai.response.id"u8, id);
        if (reply?.Model is { } model)
            json.WriteString("gen_ai.response.model"u8, model);
        if (reply is not null)
        {
            var any = false;
            foreach (var reason in reply.FinishReasons)
            {
                if (!any)
                    json.WriteStartArray("gen_ai.response.finish_reasons"u8);
                any = true;
                json.WriteStringValue(reason);
            }
            if (any)
                json.WriteEndArray();
            if (reply.CachedTokens is { } cached)
                json.WriteNumber("gen_ai.usage.cache_read.input_tokens"u8, cached);
            if (reply.ReasoningTokens is { } reasoning)
                json.WriteNumber("gen_ai.usage.reasoning.output_tokens"u8, reasoning);
        }
        if (usageIsEstimated)
            json.WriteBoolean("flywheel.usage_estimated"u8, true);
        if (call.FirstPiece is { } first)
            json.WriteNumber("gen_ai.response.time_to_first_chunk"u8, Math.Round(first.TotalSeconds, 6));
        if (call.Status is { } status)
            json.WriteNumber("http.response.status_code"u8, status);
        if (call.ErrorCode is { } code)
            json.WriteString("error.type"u8, code);
    }

    static void WriteMessages(Utf8JsonWriter json, GatewayCall call, Reply? reply)
    {
        var body = call.Body.Span;
        foreach (var (parameter, value) in call.Outline.ParameterValues)
        {
            json.WritePropertyName(RequestOutline.Parameters[parameter].Attribute);
            JsonText.CopyValue(json, call.Original.Span.Slice(value.Start, value.Length));
        }
        if (!call.Protocol.HasMessages)
            return;
        if (call.Outline.Instructions.IsString(call.Original.Span))
        {
            json.WriteStartArray("gen_ai.system_instructions"u8);
            Conversation.WriteTextPart(json, "text"u8, call.Outline.Instructions.Of(call.Original.Span)[1..^1]);
            json.WriteEndArray();
        }
        json.WritePropertyName("gen_ai.input.messages"u8);
        Conversation.Write(json, body, call.Prompt);
        if (reply is null)
            return;
        json.WritePropertyName("gen_ai.output.messages"u8);
        reply.WriteMessages(json, call.ErrorCode is null ? "unknown" : "error");
        if (reply.HasToolCalls)
        {
            json.WritePropertyName("flywheel.tool_calls"u8);
            reply.WriteToolCalls(json);
        }
    }

    static void WriteRetrieval(Utf8JsonWriter json, GatewayCall call)
    {
        if (call.RetrievalProblem is { } problem)
            json.WriteString("flywheel.retrieval_problem"u8, problem);
        if (call.RetrievalMs > 0)
            json.WriteNumber("flywheel.retrieval_ms"u8, Math.Round(call.RetrievalMs, 3));
        if (call.Demonstrations.Count == 0)
            return;
        json.WriteStartArray("flywheel.demonstrations"u8);
        foreach (var one in call.Demonstrations)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, one.Id);
            if (double.IsFinite(one.Score))
                json.WriteNumber("score"u8, one.Score);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteAttempts(Utf8JsonWriter json, GatewayCall call)
    {
        if (call.Failed.Count == 0)
            return;
        json.WriteStartArray("flywheel.failed_attempts"u8);
        foreach (var attempt in call.Failed)
        {
            json.WriteStartObject();
            json.WriteString("provider"u8, attempt.Provider);
            json.WriteString("model"u8, attempt.Model);
            json.WriteString("error"u8, attempt.Code);
            if (attempt.Status is { } status)
                json.WriteNumber("status"u8, status);
            json.WriteNumber("ms"u8, Math.Round(attempt.Milliseconds, 3));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
