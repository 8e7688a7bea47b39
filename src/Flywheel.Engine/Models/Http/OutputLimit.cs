using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models.Http;

/// <summary>Sets the most output tokens on calls that set none.</summary>
internal sealed class OutputLimit(IChatClient inner, int tokens) : DelegatingChatClient(inner)
{
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetResponseAsync(messages, Limited(options), cancellationToken);

    public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        base.GetStreamingResponseAsync(messages, Limited(options), cancellationToken);

    private ChatOptions Limited(ChatOptions? options)
    {
        var limited = options?.Clone() ?? new();
        limited.MaxOutputTokens ??= tokens;
        return limited;
    }
}
