using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models;

/// <summary>Keeps a model's calls to its pace, whoever in the process makes them; a provider's Retry-After holds them all.</summary>
/// <remarks>Counts what is needed to size concurrency: how long calls take once they have started.</remarks>
public sealed class PacedChatClient(IChatClient inner, Pace pace, TimeProvider clock) : DelegatingChatClient(inner)
{
    /// <summary>No provider is believed to want a longer silence than this.</summary>
    static readonly TimeSpan LongestHold = TimeSpan.FromMinutes(1);

    const double Weight = 0.05;

    readonly Lock _lock = new();
    double? _seconds;

    public Pace Pace => pace;

    /// <summary>Calls in flight that use the pace up, by the latency seen lately (Little's law); null without a limit.</summary>
    public int? Wanted
    {
        get
        {
            if (pace.PerSecond is not { } rate)
                return null;
            lock (_lock)
                return (int)Math.Ceiling(rate * (_seconds ?? 1));
        }
    }

    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        await pace.WaitAsync(cancellationToken);
        var started = clock.GetTimestamp();
        try
        {
            var response = await base.GetResponseAsync(messages, options, cancellationToken);
            Took(clock.GetElapsedTime(started));
            return response;
        }
        catch (Exception error)
        {
            Note(error, cancellationToken);
            throw;
        }
    }

    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await pace.WaitAsync(cancellationToken);
        await using var updates = base.GetStreamingResponseAsync(messages, options, cancellationToken)
            .GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            try
            {
                if (!await updates.MoveNextAsync())
                    yield break;
            }
            catch (Exception error)
            {
                Note(error, cancellationToken);
                throw;
            }
            yield return updates.Current;
        }
    }

    public override object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(PacedChatClient) && serviceKey is null ? this : base.GetService(serviceType, serviceKey);

    void Note(Exception error, CancellationToken ct)
    {
        if (ModelFault.From(error, clock, ct).RetryAfter is { } asked)
            pace.Hold(asked < LongestHold ? asked : LongestHold);
    }

    void Took(TimeSpan time)
    {
        lock (_lock)
            _seconds = _seconds is { } known ? known + Weight * (time.TotalSeconds - known) : time.TotalSeconds;
    }
}
