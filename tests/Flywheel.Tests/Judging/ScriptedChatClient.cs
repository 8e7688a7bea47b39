using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Judging;

/// <summary>Answers what it is told to, and keeps what it was asked.</summary>
sealed class ScriptedChatClient(Func<IReadOnlyList<ChatMessage>, ChatResponse> answer, string model = "scripted-1") : IChatClient
{
    public ScriptedChatClient(string reply, string model = "scripted-1") : this(_ => new(new ChatMessage(ChatRole.Assistant, reply)), model)
    {
    }

    public List<(IReadOnlyList<ChatMessage> Messages, ChatOptions? Options)> Calls { get; } = [];

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var list = messages.ToArray();
        lock (Calls)
            Calls.Add((list, options));
        return Task.FromResult(answer(list));
    }

    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException("Judges do not stream.");

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("test", null, model) : null;

    public void Dispose()
    {
    }
}
