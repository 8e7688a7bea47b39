using System.Globalization;
using System.Text.Json;
using Flywheel.Client.Recording;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Client.Messages;

/// <summary>A model call's attributes under the names of the OpenTelemetry GenAI conventions v1.41.1, and ours after them.</summary>
internal static class CallAttributes
{
    public static string Write(
        ObservedNode node, ObservedCall call, ChatResponse? response, IReadOnlyList<FunctionCallContent> calls, string? errorType)
    {
        var finish = response?.FinishReason?.Value;
        var options = node.Options;
        string? input = null, output = null;
        if (options.RecordMessages)
        {
            input = AttributeJson.Text(json => GenAiMessages.Write(json, call.Prompt));
            if (response is not null)
                output = AttributeJson.Text(
                    json => GenAiMessages.Write(json, response.Messages, finish ?? (errorType is null ? "unknown" : "error")));
        }
        long size = (input?.Length ?? 0) + (long)(output?.Length ?? 0);

        return AttributeJson.Write(json =>
        {
            json.WriteString("gen_ai.operation.name", "chat");
            AttributeJson.WriteText(json, "gen_ai.provider.name", node.Provider);
            WriteRequest(json, node, call);
            if (response is not null)
                WriteResponse(json, response, finish);
            if (call.FirstUpdate is { } first)
                json.WriteNumber("gen_ai.response.time_to_first_chunk", first.TotalSeconds);
            AttributeJson.WriteText(json, "error.type", errorType);
            if (size > options.MaxMessageCharacters)
                json.WriteNumber("flywheel.messages_omitted_characters", size);
            else
            {
                WriteRaw(json, "gen_ai.input.messages", input);
                WriteRaw(json, "gen_ai.output.messages", output);
            }
            if (calls.Count > 0)
            {
                json.WritePropertyName("flywheel.tool_calls");
                GenAiMessages.WriteCalls(json, calls);
            }
            WritePrompt(json, call);
            WriteRetrieval(json, call);
            WriteGuards(json, call);
            AttributeJson.WriteNumber(json, FlywheelProperties.Confidence, ConfidenceOf(response));
        });
    }

    static void WriteRequest(Utf8JsonWriter json, ObservedNode node, ObservedCall call)
    {
        AttributeJson.WriteText(json, "gen_ai.request.model", call.Request?.ModelId ?? node.Model);
        if (call.Streamed)
            json.WriteBoolean("gen_ai.request.stream", true);
        if (call.Request is not { } request)
            return;
        AttributeJson.WriteNumber(json, "gen_ai.request.temperature", request.Temperature);
        AttributeJson.WriteNumber(json, "gen_ai.request.top_p", request.TopP);
        AttributeJson.WriteNumber(json, "gen_ai.request.top_k", request.TopK);
        AttributeJson.WriteNumber(json, "gen_ai.request.max_tokens", request.MaxOutputTokens);
        AttributeJson.WriteNumber(json, "gen_ai.request.frequency_penalty", request.FrequencyPenalty);
        AttributeJson.WriteNumber(json, "gen_ai.request.presence_penalty", request.PresencePenalty);
        AttributeJson.WriteNumber(json, "gen_ai.request.seed", request.Seed);
        if (request.StopSequences is { Count: > 0 } stops)
        {
            json.WriteStartArray("gen_ai.request.stop_sequences");
            foreach (var stop in stops)
                json.WriteStringValue(StorableText.Of(stop));
            json.WriteEndArray();
        }
        AttributeJson.WriteText(json, "gen_ai.output.type", request.ResponseFormat switch
        {
            ChatResponseFormatJson => "json",
            ChatResponseFormatText => "text",
            _ => null,
        });
        AttributeJson.WriteText(json, "gen_ai.conversation.id", request.ConversationId);
        if (node.Options.RecordMessages && request.Instructions is { Length: > 0 } instructions)
        {
            json.WriteStartArray("gen_ai.system_instructions");
            json.WriteStartObject();
            json.WriteString("type", "text");
            AttributeJson.WriteText(json, "content", instructions);
            json.WriteEndObject();
            json.WriteEndArray();
        }
    }

    static void WriteResponse(Utf8JsonWriter json, ChatResponse response, string? finish)
    {
        AttributeJson.WriteText(json, "gen_ai.response.id", response.ResponseId);
        AttributeJson.WriteText(json, "gen_ai.response.model", response.ModelId);
        if (finish is not null)
        {
            json.WriteStartArray("gen_ai.response.finish_reasons");
            json.WriteStringValue(finish);
            json.WriteEndArray();
        }
        if (response.Usage is not { } usage)
            return;
        AttributeJson.WriteNumber(json, "gen_ai.usage.input_tokens", usage.InputTokenCount);
        AttributeJson.WriteNumber(json, "gen_ai.usage.output_tokens", usage.OutputTokenCount);
        AttributeJson.WriteNumber(json, "gen_ai.usage.cache_read.input_tokens", usage.CachedInputTokenCount);
        AttributeJson.WriteNumber(json, "gen_ai.usage.reasoning.output_tokens", usage.ReasoningTokenCount);
    }

    static void WritePrompt(Utf8JsonWriter json, ObservedCall call)
    {
        foreach (var message in call.Prompt)
            if (message.AdditionalProperties is { } properties && properties.GetValueOrDefault(FlywheelProperties.PromptName) is string name
                && properties.GetValueOrDefault(FlywheelProperties.PromptVersion) is int version)
            {
                json.WriteString(FlywheelProperties.PromptName, name);
                json.WriteNumber(FlywheelProperties.PromptVersion, version);
                return;
            }
    }

    static void WriteRetrieval(Utf8JsonWriter json, ObservedCall call)
    {
        var retrieved = call.Retrieved;
        AttributeJson.WriteText(json, "flywheel.retrieval_problem", retrieved.Problem);
        if (retrieved.Took > TimeSpan.Zero)
            json.WriteNumber("flywheel.retrieval_ms", Math.Round(retrieved.Took.TotalMilliseconds, 3));
        if (retrieved.Demonstrations.Count == 0)
            return;
        json.WriteStartArray("flywheel.demonstrations");
        foreach (var one in retrieved.Demonstrations)
        {
            json.WriteStartObject();
            json.WriteString("id", one.Id);
            AttributeJson.WriteNumber(json, "score", (double?)one.Score);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    static void WriteGuards(Utf8JsonWriter json, ObservedCall call)
    {
        var guarded = call.Guarded;
        AttributeJson.WriteText(json, "flywheel.guard_problem", guarded.Problem);
        if (guarded.Took > TimeSpan.Zero)
            json.WriteNumber("flywheel.guard_ms", Math.Round(guarded.Took.TotalMilliseconds, 3));
        if (guarded.Answer is not { Findings.Count: > 0 } answer)
            return;
        json.WritePropertyName(GuardRecord.Attribute);
        GuardRecord.Write(json, answer, call.Input!);
    }

    static void WriteRaw(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
            return;
        json.WritePropertyName(name);
        json.WriteRawValue(value, skipInputValidation: true);
    }

    /// <summary>The model's own figure, whatever numeric type it came as; null when it gave none.</summary>
    static double? ConfidenceOf(ChatResponse? response) =>
        response is null
            ? null
            : ConfidenceIn(response.AdditionalProperties)
              // A streamed answer carries its updates' properties on its messages.
              ?? response.Messages.Select(static message => ConfidenceIn(message.AdditionalProperties))
              .LastOrDefault(static one => one is not null);

    static double? ConfidenceIn(AdditionalPropertiesDictionary? properties) =>
        properties?.GetValueOrDefault(FlywheelProperties.Confidence) switch
    {
        double number => number,
        float number => number,
        decimal number => (double)number,
        int number => number,
        JsonElement { ValueKind: JsonValueKind.Number } number => number.GetDouble(),
        string text when double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) => number,
        _ => null,
    };
}
