namespace Flywheel.Validators.Detection;

/// <summary>Who tried how often lately: of this process, in bounded memory, forgotten at a restart.</summary>
/// <remarks>The least recent callers are dropped beyond <see cref="MaxCallers"/>; a retry of the same span counts once.</remarks>
/// <param name="most">Attempts from which the next one is too many.</param>
sealed class RepeatedAttempts(int most, TimeSpan window, TimeProvider clock)
{
    public const int MaxCallers = 10_000;
    const int MaxKept = 128;

    readonly Lock _one = new();
    readonly Dictionary<string, LinkedListNode<Caller>> _callers = new(StringComparer.Ordinal);
    readonly LinkedList<Caller> _byUse = new();

    sealed record Caller(string Name, List<(string What, DateTimeOffset At)> Attempts);

    public TimeSpan Window => window;

    public bool IsTooMany(int attempts) => attempts > most;

    /// <summary>Counts this attempt in.</summary>
    /// <param name="what">The span, or the text where there is none: the same one again is no new attempt.</param>
    /// <returns>Attempts of the caller within the window, this one included.</returns>
    public int Count(string caller, string what)
    {
        var now = clock.GetUtcNow();
        lock (_one)
        {
            if (_callers.TryGetValue(caller, out var node))
                _byUse.Remove(node);
            else
                _callers[caller] = node = new(new(caller, []));
            _byUse.AddFirst(node);
            var attempts = node.Value.Attempts;
            attempts.RemoveAll(each => now - each.At > window || each.What == what);
            if (attempts.Count >= MaxKept)
                attempts.RemoveAt(0);
            attempts.Add((what, now));
            if (_callers.Count > MaxCallers)
            {
                _callers.Remove(_byUse.Last!.Value.Name);
                _byUse.RemoveLast();
            }
            return attempts.Count;
        }
    }
}
