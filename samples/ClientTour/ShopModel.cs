using System.Runtime.CompilerServices;
using Flywheel.Engine.Models.Offline;
using Microsoft.Extensions.AI;

namespace ClientTour;

/// <summary>Models that need no network, so that the samples run anywhere; use your provider's <see cref="IChatClient"/> instead.</summary>
static class ShopModel
{
    public const string Intents = "Answer with one of these options.\n\nOptions:\n- billing: charges and refunds\n- technical: devices\n- general: everything else";

    /// <summary>Answers with what the examples and options of its prompt say.</summary>
    public static IChatClient Classifier() => new OfflineChatClient();

    /// <summary>Calls the first tool that it is given with order A-1, and then says what that gave.</summary>
    public static IChatClient ToolUser() => new Caller();

    sealed class Caller : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(
                messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault() is { } result
                    ? new ChatMessage(ChatRole.Assistant, $"Your order is {result.Result}.")
                    : new ChatMessage(ChatRole.Assistant, [new FunctionCallContent("call-1", options!.Tools![0].Name, new Dictionary<string, object?> { ["order"] = "A-1" })])));

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
                yield return update;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
