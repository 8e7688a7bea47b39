namespace Flywheel.Engine.Jobs;

/// <summary>Wakes idle workers of this process when there is work; workers elsewhere find it by looking now and then.</summary>
public sealed class WorkSignal
{
    TaskCompletionSource _next = New();

    /// <summary>Completes at the next <see cref="Set"/>. Take it before looking for work, so that no call between is missed.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    public void Set() => Interlocked.Exchange(ref _next, New()).TrySetResult();

    static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
