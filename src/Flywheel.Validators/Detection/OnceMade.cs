namespace Flywheel.Validators.Detection;

/// <summary>Makes a thing at its first use and keeps it; a fault is not kept, so the next use tries again.</summary>
sealed class OnceMade<T>(Func<Task<T>> make)
{
    readonly Lock _one = new();
    Task<T>? _made;

    /// <summary>One caller's cancellation leaves the making to the others.</summary>
    public Task<T> GetAsync(CancellationToken ct)
    {
        var made = Volatile.Read(ref _made);
        if (made is { IsCompletedSuccessfully: true })
            return made;
        lock (_one)
        {
            if (_made is null or { IsFaulted: true } or { IsCanceled: true })
                _made = Task.Run(make, CancellationToken.None);
            made = _made;
        }
        return made.WaitAsync(ct);
    }
}
