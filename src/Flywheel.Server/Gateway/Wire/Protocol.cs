using System.Text.Json;

namespace Flywheel.Server.Gateway.Wire;

/// <summary>What differs between the three endpoints that call a model.</summary>
/// <param name="Path">Below the provider's base URL.</param>
/// <param name="Operation">By the GenAI conventions; also the node of calls that name none.</param>
/// <param name="Prompt">The member that holds the messages.</param>
/// <param name="UsageOnRequest">Streams report usage only when `stream_options.include_usage` asks for it.</param>
sealed record Protocol(string Path, string Operation, byte[] Prompt, bool UsageOnRequest, bool HasMessages, Func<Reply> NewReply)
{
    public static readonly Protocol Chat = new("chat/completions", "chat", "messages"u8.ToArray(), true, true, () => new ChatReply());

    public static readonly Protocol Responses = new("responses", "chat", "input"u8.ToArray(), false, true, () => new ResponsesReply());

    public static readonly Protocol Embeddings = new(
        "embeddings", "embeddings", "input"u8.ToArray(), false, false, () => new EmbeddingsReply());

    /// <summary>The event that ends a stream which failed after its first piece.</summary>
    public byte[] FailureEvent(string code, string message)
    {
        using var buffer = new MemoryStream();
        buffer.Write(this == Responses ? "event: error\ndata: "u8 : "data: "u8);
        if (this == Responses)
            buffer.Write(JsonSerializer.SerializeToUtf8Bytes(
                new ResponseFailure("error", code, message, null, 0), GatewayJson.Default.ResponseFailure));
        else
            buffer.Write(GatewayError.Write(502, code, message));
        buffer.Write("\n\n"u8);
        return buffer.ToArray();
    }
}

sealed record ResponseFailure(string Type, string Code, string Message, string? Param, int SequenceNumber);
