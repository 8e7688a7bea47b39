namespace Flywheel.Client.Recording;

/// <summary>Counts outcomes and tells the application's listener; safe on any thread, never throws.</summary>
internal sealed class Counters(Action<FlywheelFailure>? listener)
{
    long recorded;
    long dropped;
    long rejected;
    long failedRetrievals;
    long failedSends;
    long failedGuards;
    long failedStores;
    long others;
    string? lastFailure;

    public void Recorded(int spans) => Interlocked.Add(ref recorded, spans);

    /// <param name="spans">How many spans or calls the one failure cost.</param>
    public void Failed(FlywheelFailure failure, long spans = 1)
    {
        switch (failure.Kind)
        {
            case FlywheelFailureKind.Retrieval:
                Interlocked.Add(ref failedRetrievals, spans);
                break;
            case FlywheelFailureKind.Guard:
                Interlocked.Add(ref failedGuards, spans);
                break;
            case FlywheelFailureKind.Outbox:
                Interlocked.Add(ref failedStores, spans);
                break;
            case FlywheelFailureKind.Send:
                Interlocked.Add(ref failedSends, spans);
                break;
            case FlywheelFailureKind.Rejected:
                Interlocked.Add(ref rejected, spans);
                break;
            case FlywheelFailureKind.Dropped:
                Interlocked.Add(ref dropped, spans);
                break;
            default:
                Interlocked.Add(ref others, spans);
                break;
        }
        Volatile.Write(ref lastFailure, failure.Message);
        try
        {
            listener?.Invoke(failure);
        }
        catch (Exception)
        {
            // The listener belongs to the application; its faults must not reach the call being watched.
        }
    }

    public FlywheelStatistics Snapshot(long pending, long stored) => new(
        Interlocked.Read(ref recorded), Interlocked.Read(ref dropped), Interlocked.Read(ref rejected),
        Interlocked.Read(ref failedRetrievals), Interlocked.Read(ref failedSends), Interlocked.Read(ref others),
        pending, Volatile.Read(ref lastFailure), Interlocked.Read(ref failedGuards), stored,
        Interlocked.Read(ref failedStores));
}
