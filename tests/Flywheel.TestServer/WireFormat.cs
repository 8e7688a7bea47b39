using System.Text.Json.Nodes;

namespace Flywheel.TestServer;

/// <summary>How one provider's protocol writes answers. Streams are server-sent events.</summary>
internal abstract class WireFormat
{
    public static WireFormat? Of(string path) => path switch
    {
        "/v1/chat/completions" => new OpenAIFormat(),
        "/v1/messages" => new AnthropicFormat(),
        _ => null,
    };

    public abstract JsonObject Answer(ModelRequest request, ModelReply.Answer answer);

    public abstract JsonObject Answer(ModelRequest request, ModelReply.ToolCall call);

    /// <summary>Whole events, ready to be written.</summary>
    public abstract IEnumerable<string> Stream(ModelRequest request, ModelReply.Answer answer);

    public abstract IEnumerable<string> Stream(ModelRequest request, ModelReply.ToolCall call);

    public abstract JsonObject Error(int status, string message);

    /// <summary>Words with the space before them.</summary>
    protected static IEnumerable<string> Pieces(string text)
    {
        for (int start = 0, end; start < text.Length; start = end)
        {
            end = text.IndexOf(' ', start + 1);
            if (end < 0)
                end = text.Length;
            yield return text[start..end];
        }
    }

    protected static string Event(JsonNode data, string? name = null) =>
        (name is null ? "" : $"event: {name}\n") + $"data: {data.ToJsonString()}\n\n";

    private sealed class OpenAIFormat : WireFormat
    {
        public override JsonObject Answer(ModelRequest request, ModelReply.Answer answer) => Completion(
            request,
            new() { ["role"] = "assistant", ["content"] = answer.Text, ["refusal"] = null },
            "stop",
            Usage(answer.InputTokens, answer.OutputTokens));

        public override JsonObject Answer(ModelRequest request, ModelReply.ToolCall call) => Completion(
            request,
            new() { ["role"] = "assistant", ["content"] = null, ["tool_calls"] = new JsonArray(Call(call)) },
            "tool_calls",
            Usage(7, 3));

        public override IEnumerable<string> Stream(ModelRequest request, ModelReply.Answer answer)
        {
            yield return Chunk(request, new() { ["role"] = "assistant", ["content"] = "" });
            foreach (var piece in Pieces(answer.Text))
                yield return Chunk(request, new() { ["content"] = piece });
            yield return Chunk(request, [], "stop");
            yield return End(request, answer.InputTokens, answer.OutputTokens);
        }

        public override IEnumerable<string> Stream(ModelRequest request, ModelReply.ToolCall call)
        {
            var whole = Call(call);
            whole["index"] = 0;
            yield return Chunk(request, new() { ["role"] = "assistant", ["content"] = null, ["tool_calls"] = new JsonArray(whole) });
            yield return Chunk(request, [], "tool_calls");
            yield return End(request, 7, 3);
        }

        public override JsonObject Error(int status, string message) =>
            new() { ["error"] = new JsonObject { ["message"] = message, ["type"] = "scripted", ["code"] = status } };

        private static JsonObject Completion(ModelRequest request, JsonObject message, string finish, JsonObject usage) => new()
        {
            ["id"] = "chatcmpl-test",
            ["object"] = "chat.completion",
            ["created"] = request.At.ToUnixTimeSeconds(),
            ["model"] = request.Model,
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["message"] = message, ["finish_reason"] = finish }),
            ["usage"] = usage,
        };

        private static string Chunk(ModelRequest request, JsonObject delta, string? finish = null) => Event(new JsonObject
        {
            ["id"] = "chatcmpl-test",
            ["object"] = "chat.completion.chunk",
            ["created"] = request.At.ToUnixTimeSeconds(),
            ["model"] = request.Model,
            ["choices"] = new JsonArray(new JsonObject { ["index"] = 0, ["delta"] = delta, ["finish_reason"] = finish }),
        });

        private static string End(ModelRequest request, int input, int output) => Event(new JsonObject
        {
            ["id"] = "chatcmpl-test",
            ["object"] = "chat.completion.chunk",
            ["created"] = request.At.ToUnixTimeSeconds(),
            ["model"] = request.Model,
            ["choices"] = new JsonArray(),
            ["usage"] = Usage(input, output),
        }) + "data: [DONE]\n\n";

        private static JsonObject Usage(int input, int output) =>
            new() { ["prompt_tokens"] = input, ["completion_tokens"] = output, ["total_tokens"] = input + output };

        private static JsonObject Call(ModelReply.ToolCall call) => new()
        {
            ["id"] = "call_test",
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = call.Function, ["arguments"] = call.ArgumentsJson },
        };
    }

    private sealed class AnthropicFormat : WireFormat
    {
        public override JsonObject Answer(ModelRequest request, ModelReply.Answer answer) => Message(
            request, [new JsonObject { ["type"] = "text", ["text"] = answer.Text }], "end_turn", answer.InputTokens, answer.OutputTokens);

        public override JsonObject Answer(ModelRequest request, ModelReply.ToolCall call) => Message(
            request, [Use(call, JsonNode.Parse(call.ArgumentsJson)!)], "tool_use", 7, 3);

        public override IEnumerable<string> Stream(ModelRequest request, ModelReply.Answer answer)
        {
            var deltas = Pieces(answer.Text).Select(piece => new JsonObject { ["type"] = "text_delta", ["text"] = piece });
            return Block(request, new() { ["type"] = "text", ["text"] = "" }, deltas, "end_turn", answer.InputTokens, answer.OutputTokens);
        }

        public override IEnumerable<string> Stream(ModelRequest request, ModelReply.ToolCall call) => Block(
            request,
            Use(call, new JsonObject()),
            [new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = call.ArgumentsJson }],
            "tool_use",
            7,
            3);

        public override JsonObject Error(int status, string message) =>
            new() { ["type"] = "error", ["error"] = new JsonObject { ["type"] = "api_error", ["message"] = message } };

        private static IEnumerable<string> Block(
            ModelRequest request, JsonObject block, IEnumerable<JsonObject> deltas, string stop, int input, int output)
        {
            var message = Message(request, [], null, input, 0);
            yield return Event(new JsonObject { ["type"] = "message_start", ["message"] = message }, "message_start");
            yield return Event(
                new JsonObject { ["type"] = "content_block_start", ["index"] = 0, ["content_block"] = block }, "content_block_start");
            foreach (var delta in deltas)
                yield return Event(
                    new JsonObject { ["type"] = "content_block_delta", ["index"] = 0, ["delta"] = delta }, "content_block_delta");
            yield return Event(new JsonObject { ["type"] = "content_block_stop", ["index"] = 0 }, "content_block_stop");
            yield return Event(
                new JsonObject
                {
                    ["type"] = "message_delta",
                    ["delta"] = new JsonObject { ["stop_reason"] = stop, ["stop_sequence"] = null },
                    ["usage"] = new JsonObject { ["output_tokens"] = output },
                },
                "message_delta");
            yield return Event(new JsonObject { ["type"] = "message_stop" }, "message_stop");
        }

        private static JsonObject Message(ModelRequest request, JsonArray content, string? stop, int input, int output) => new()
        {
            ["id"] = "msg_test",
            ["type"] = "message",
            ["role"] = "assistant",
            ["model"] = request.Model,
            ["content"] = content,
            ["stop_reason"] = stop,
            ["stop_sequence"] = null,
            ["usage"] = new JsonObject { ["input_tokens"] = input, ["output_tokens"] = output },
        };

        private static JsonObject Use(ModelReply.ToolCall call, JsonNode input) =>
            new() { ["type"] = "tool_use", ["id"] = "toolu_test", ["name"] = call.Function, ["input"] = input };
    }
}
