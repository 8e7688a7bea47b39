using System.Text;
using System.Text.Json;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Calls;

/// <summary>A guard's refusal in the form of a model's answer.</summary>
static class Refusal
{
    /// <returns>The whole body: JSON, or all events of a stream.</returns>
    public static byte[] Write(GatewayCall call)
    {
        var text = JsonSerializer.Serialize(call.Rules.Settings.Refusal!, GatewayJson.Default.String);
        var model = JsonSerializer.Serialize(call.RequestedModel, GatewayJson.Default.String);
        var created = call.StartedAt.ToUnixTimeSeconds();
        var id = call.Trace.Span;
        return Encoding.UTF8.GetBytes((call.Protocol == Protocol.Responses, call.Outline.Stream) switch
        {
            (false, false) => $$$"""{"id":"chatcmpl-{{{id}}}","object":"chat.completion","created":{{{created}}},"model":{{{model}}},"choices":[{"index":0,"message":{"role":"assistant","content":{{{text}}},"refusal":null},"logprobs":null,"finish_reason":"content_filter"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}""",
            (false, true) =>
                Data($$$"""{"id":"chatcmpl-{{{id}}}","object":"chat.completion.chunk","created":{{{created}}},"model":{{{model}}},"choices":[{"index":0,"delta":{"role":"assistant","content":{{{text}}}},"finish_reason":null}]}""")
                + Data($$$"""{"id":"chatcmpl-{{{id}}}","object":"chat.completion.chunk","created":{{{created}}},"model":{{{model}}},"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}""")
                + Data("[DONE]"),
            (true, false) => Response(),
            _ => "event: response.output_text.delta\n"
                + Data($$$"""{"type":"response.output_text.delta","item_id":"msg_{{{id}}}","output_index":0,"content_index":0,"delta":{{{text}}},"logprobs":[],"sequence_number":0}""")
                + "event: response.completed\n"
                + Data($$$"""{"type":"response.completed","sequence_number":1,"response":{{{Response()}}}}"""),
        });

        string Response() => $$$"""{"id":"resp_{{{id}}}","object":"response","created_at":{{{created}}},"status":"completed","error":null,"incomplete_details":null,"model":{{{model}}},"output":[{"type":"message","id":"msg_{{{id}}}","status":"completed","role":"assistant","content":[{"type":"output_text","text":{{{text}}},"annotations":[]}]}],"parallel_tool_calls":true,"tool_choice":"auto","tools":[],"usage":{"input_tokens":0,"input_tokens_details":{"cached_tokens":0},"output_tokens":0,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":0}}""";
    }

    static string Data(string json) => $"data: {json}\n\n";
}
