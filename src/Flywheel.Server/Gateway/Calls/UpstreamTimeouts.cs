namespace Flywheel.Server.Gateway.Calls;

/// <summary>
/// One token for all that may end an attempt: the client leaves, the provider is too slow at one step, the whole time is over.
/// </summary>
sealed class UpstreamTimeouts(long deadline, TimeProvider clock, CancellationToken clientLeft) : IDisposable
{
    readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(clientLeft);
    TimeSpan _limit;

    public CancellationToken Token => _source.Token;

    public string WaitingFor { get; private set; } = "";

    /// <summary>Begins to wait for the next step.</summary>
    public void For(string what, TimeSpan limit)
    {
        var left = clock.GetElapsedTime(clock.GetTimestamp(), deadline);
        (WaitingFor, _limit) = left < limit ? ("the end of the call", left > TimeSpan.Zero ? left : TimeSpan.Zero) : (what, limit);
        _source.CancelAfter(_limit);
    }

    /// <summary>Waits for nothing of the provider's now; the whole time still runs.</summary>
    public void Rest() => For("the end of the call", TimeSpan.MaxValue);

    public string Complaint => $"The provider did not get to {WaitingFor} in time.";

    public void Dispose() => _source.Dispose();
}
