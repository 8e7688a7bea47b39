using System.Collections.Concurrent;
using System.Diagnostics;

namespace Flywheel.Storage;

/// <summary>
/// Answers to a question that every call asks: as good as new for what this process wrote, a tenth of a second old at most for others.
/// </summary>
internal sealed class ShortLivedCache<TKey, TValue>(Database database) where TKey : notnull
{
    /// <summary>Keys come with requests, so they must not fill the memory.</summary>
    const int Kept = 4_096;

    /// <summary>How long a change that another process made may go unseen.</summary>
    static readonly TimeSpan OthersUnseen = TimeSpan.FromMilliseconds(100);

    readonly ConcurrentDictionary<TKey, Answer> answers = new();

    public ValueTask<TValue> GetAsync(TKey key, Func<TKey, CancellationToken, Task<TValue>> ask, CancellationToken ct) =>
        answers.TryGetValue(key, out var answer) && answer.Writes == database.Writes && Stopwatch.GetElapsedTime(answer.At) < OthersUnseen
            ? ValueTask.FromResult(answer.Value)
            : AskAsync(key, ask, ct);

    async ValueTask<TValue> AskAsync(TKey key, Func<TKey, CancellationToken, Task<TValue>> ask, CancellationToken ct)
    {
        // Before the question: what is written while it is asked makes its answer old.
        var (writes, at) = (database.Writes, Stopwatch.GetTimestamp());
        var value = await ask(key, ct).ConfigureAwait(false);
        if (answers.Count >= Kept)
            answers.Clear();
        answers[key] = new(value, writes, at);
        return value;
    }

    /// <param name="Writes">Those of this process when the question was asked.</param>
    /// <param name="At">Timestamp of the stopwatch.</param>
    sealed record Answer(TValue Value, long Writes, long At);
}
