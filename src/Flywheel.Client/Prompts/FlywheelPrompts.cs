using System.Collections.Concurrent;
using Flywheel.Client.Remote;

namespace Flywheel.Client;

/// <summary>
/// Prompts of the registry with a short cache: a label that moved is seen within <paramref name="fresh"/>, a server that is away is not
/// noticed.
/// </summary>
/// <remarks>
/// A copy that is too old is asked for again, for at most <see cref="Deadline"/>; when that fails the old copy serves, and the server is
/// left alone for <see cref="Pause"/>. Only a prompt that was never there throws.
/// </remarks>
/// <param name="fresh">How long a copy serves unasked; null is one minute.</param>
public sealed class FlywheelPrompts(FlywheelApi api, TimeSpan? fresh = null, TimeProvider? time = null)
{
    readonly TimeProvider clock = time ?? TimeProvider.System;
    readonly TimeSpan keep = fresh ?? TimeSpan.FromMinutes(1);
    readonly ConcurrentDictionary<(string Name, string Version), Copy> copies = new();
    long failures;

    sealed record Copy(FlywheelPrompt Prompt, long AskAgainAt);

    /// <summary>How long a call waits for the server when it has an old copy.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long the old copy serves unasked after the server failed.</summary>
    public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Times that the server could not be asked and a copy, or the fallback, served instead.</summary>
    public long Failures => Interlocked.Read(ref failures);

    /// <param name="version">A number or a label; <c>latest</c> is the newest.</param>
    /// <param name="fallback">Serves when there is no copy and no server; null throws then.</param>
    /// <exception cref="HttpRequestException">There is no copy and no fallback, and the server did not answer, or has no such prompt
    /// (status 404).</exception>
    public async ValueTask<FlywheelPrompt> GetAsync(
        string name, string version = "production", FlywheelPrompt? fallback = null, CancellationToken ct = default)
    {
        var known = copies.GetValueOrDefault((name, version));
        if (known is not null && clock.GetTimestamp() < known.AskAgainAt)
            return known.Prompt;
        try
        {
            var asking = api.PromptAsync(name, version, ct);
            var prompt = known is null ? await asking.ConfigureAwait(false) : await asking.WaitAsync(Deadline, clock, ct)
                .ConfigureAwait(false);
            copies[(name, version)] = new(prompt, clock.GetTimestamp() + Ticks(keep));
            return prompt;
        }
        catch (Exception failure) when (!ct.IsCancellationRequested && (known?.Prompt ?? fallback) is not null && IsOutage(failure))
        {
            Interlocked.Increment(ref failures);
            if (known is not null)
                copies[(name, version)] = known with { AskAgainAt = clock.GetTimestamp() + Ticks(Pause) };
            return known?.Prompt ?? fallback!;
        }
    }

    /// <summary>What the server refuses (no such prompt, no such key) is for the application to see.</summary>
    static bool IsOutage(Exception failure) => failure switch
    {
        HttpRequestException { StatusCode: { } status } => (int)status is 408 or 429 or >= 500,
        BatchRefusedException => false,
        _ => true,
    };

    long Ticks(TimeSpan span) => (long)(span.TotalSeconds * clock.TimestampFrequency);
}
