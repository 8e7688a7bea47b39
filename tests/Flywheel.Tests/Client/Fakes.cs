using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Flywheel.Client;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

/// <summary>A model that answers what the test says, and keeps what it was sent.</summary>
sealed class ScriptedChatClient(Func<IReadOnlyList<ChatMessage>, CancellationToken, Task<ChatResponse>> answer) : IChatClient
{
    public ScriptedChatClient(string answer) : this(
        (_, _) => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer))))
    {
    }

    public ConcurrentQueue<IReadOnlyList<ChatMessage>> Prompts { get; } = new();

    public Func<CancellationToken, IAsyncEnumerable<ChatResponseUpdate>>? Stream { get; init; }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages.ToList();
        Prompts.Enqueue(prompt);
        return answer(prompt, cancellationToken);
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Stream is { } stream)
        {
            Prompts.Enqueue(messages.ToList());
            await foreach (var update in stream(cancellationToken))
                yield return update;
            yield break;
        }
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "model-1") : null;

    public void Dispose()
    {
    }
}

/// <summary>A loop that answers what the test says, and keeps what it was told.</summary>
sealed class ScriptedLoop : ILoop
{
    public Func<DemonstrationQuery, CancellationToken, Task<IReadOnlyList<ChosenDemonstration>>> OnDemonstrate { get; init; } =
        (_, _) => Task.FromResult<IReadOnlyList<ChosenDemonstration>>([]);

    public Func<GuardQuery, CancellationToken, Task<GuardAnswer>> OnGuard { get; init; } =
        (query, _) => Task.FromResult(GuardAnswer.Unguarded(query.Input));

    public ConcurrentQueue<GuardQuery> GuardQueries { get; } = new();

    public Func<IReadOnlyList<NewSpan>, CancellationToken, Task> OnRecord { get; init; } = (_, _) => Task.CompletedTask;

    public ConcurrentQueue<DemonstrationQuery> Queries { get; } = new();

    /// <summary>Every batch that was tried, the failing ones included.</summary>
    public ConcurrentQueue<IReadOnlyList<NewSpan>> Batches { get; } = new();

    /// <summary>What a store would hold now.</summary>
    public ConcurrentQueue<NewSpan> Kept { get; } = new();

    public Task<IReadOnlyList<ChosenDemonstration>> DemonstrateAsync(DemonstrationQuery query, CancellationToken ct)
    {
        Queries.Enqueue(query);
        return OnDemonstrate(query, ct);
    }

    public Task<GuardAnswer> GuardAsync(GuardQuery query, CancellationToken ct)
    {
        GuardQueries.Enqueue(query);
        return OnGuard(query, ct);
    }

    public async Task RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        Batches.Enqueue(spans);
        await OnRecord(spans, ct);
        foreach (var span in spans)
            Kept.Enqueue(span);
    }

    public static ScriptedLoop Showing(params (string Input, string Output)[] pairs)
    {
        IReadOnlyList<ChosenDemonstration> chosen =
            [.. pairs.Select((pair, i) => new ChosenDemonstration(Guid.CreateVersion7(), pair.Input, pair.Output, false, i, []))];
        return new() { OnDemonstrate = (_, _) => Task.FromResult(chosen) };
    }
}

static class Spans
{
    public static NewSpan New(string output = "out", int number = 0) => new()
    {
        Key = new("t", "s" + number), Node = "n", Output = output, StartedAt = DateTimeOffset.UtcNow,
    };

    /// <summary>The one span that the connection recorded.</summary>
    public static async Task<NewSpan> OnlyAsync(this FlywheelConnection connection, CancellationToken ct)
    {
        await connection.FlushAsync(ct);
        return Assert.Single(((ScriptedLoop)connection.Loop).Kept);
    }
}
