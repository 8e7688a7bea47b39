using Flywheel.Client.Recording;
using Flywheel.Core;

namespace Flywheel.Client.Prompting;

/// <summary>What asking for demonstrations came to.</summary>
/// <param name="Problem">Why there are none: <c>timeout</c>, <c>failed</c> or <c>paused</c>; null when the loop answered.</param>
internal sealed record Retrieved(IReadOnlyList<ChosenDemonstration> Demonstrations, string? Problem, TimeSpan Took);

/// <summary>Asks the loop for demonstrations without ever holding the application up for longer than the deadline.</summary>
/// <remarks>
/// After five failures in a row it stops asking for ten seconds: a dead server costs a deadline now and then, not one a call,
/// and calls that never come back do not pile up.
/// </remarks>
internal sealed class DemonstrationSource(ILoop loop, TimeProvider time, Counters counters)
{
    const int FailuresBeforePause = 5;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    int failuresInRow;
    long pausedUntil;

    public async Task<Retrieved> FindAsync(DemonstrationQuery query, TimeSpan deadline, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        if (start < Interlocked.Read(ref pausedUntil))
        {
            counters.Failed(new(FlywheelFailureKind.Retrieval, "Asking for demonstrations is paused after failures in a row."));
            return new([], "paused", TimeSpan.Zero);
        }

        var stop = new CancellationTokenSource();
        // On a thread of the pool: a loop that blocks before its first await would hold the application, not the pool.
        var asking = Task.Run(() => loop.DemonstrateAsync(query, stop.Token), CancellationToken.None);
        try
        {
            var found = await asking.WaitAsync(deadline, time, ct).ConfigureAwait(false);
            Interlocked.Exchange(ref failuresInRow, 0);
            return new(found ?? [], null, time.GetElapsedTime(start));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The application gave up: its own call will say so.
            return new([], null, time.GetElapsedTime(start));
        }
        catch (TimeoutException) when (!asking.IsCompleted)
        {
            return Failed("timeout", $"No demonstrations within {deadline.TotalMilliseconds:0} ms.", null, start);
        }
        catch (Exception failure)
        {
            return Failed("failed", "Asking for demonstrations failed: " + failure.Message, failure, start);
        }
        finally
        {
            if (!asking.IsCompleted)
                Abandon(asking, stop);
        }
    }

    Retrieved Failed(string problem, string message, Exception? exception, long start)
    {
        if (Interlocked.Increment(ref failuresInRow) >= FailuresBeforePause)
            Interlocked.Exchange(ref pausedUntil, time.GetTimestamp() + (long)(Pause.TotalSeconds * time.TimestampFrequency));
        counters.Failed(new(FlywheelFailureKind.Retrieval, message, exception));
        return new([], problem, time.GetElapsedTime(start));
    }

    static void Abandon(Task asking, CancellationTokenSource stop)
    {
        _ = asking.ContinueWith(
            static late => _ = late.Exception, CancellationToken.None,
            TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        // Not Cancel: what the loop registered on the token would run on the application's thread.
        _ = stop.CancelAsync();
    }
}
