namespace Flywheel.Client.Recording;

/// <summary>What asking the loop came to.</summary>
/// <param name="Answer">Null when there is none.</param>
/// <param name="Problem">Why there is none: <c>timeout</c>, <c>failed</c> or <c>paused</c>; null when the loop answered, and when the
/// application gave up.</param>
internal readonly record struct Told<T>(T? Answer, string? Problem, TimeSpan Took) where T : class;

/// <summary>Asks the loop one kind of question without ever holding the application up for longer than a deadline.</summary>
/// <remarks>
/// After five failures in a row it stops asking for ten seconds: a dead server costs a deadline now and then, not one a call,
/// and calls that never come back do not pile up.
/// </remarks>
/// <param name="what">For messages: <c>demonstrations</c>.</param>
internal sealed class LoopQuestion<TQuery, TAnswer>(
    Func<TQuery, CancellationToken, Task<TAnswer>> ask, string what, FlywheelFailureKind kind, TimeProvider time, Counters counters)
    where TAnswer : class
{
    const int FailuresBeforePause = 5;
    static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    int failuresInRow;
    long pausedUntil;

    public async Task<Told<TAnswer>> AskAsync(TQuery query, TimeSpan deadline, CancellationToken ct)
    {
        var start = time.GetTimestamp();
        if (start < Interlocked.Read(ref pausedUntil))
        {
            counters.Failed(new(kind, $"Asking for {what} is paused after failures in a row."));
            return new(null, "paused", TimeSpan.Zero);
        }

        var stop = new CancellationTokenSource();
        // On a thread of the pool: a loop that blocks before its first await would hold the application, not the pool.
        var asking = Task.Run(() => ask(query, stop.Token), CancellationToken.None);
        try
        {
            var found = await asking.WaitAsync(deadline, time, ct).ConfigureAwait(false);
            Interlocked.Exchange(ref failuresInRow, 0);
            return new(found, null, time.GetElapsedTime(start));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The application gave up: its own call will say so.
            return new(null, null, time.GetElapsedTime(start));
        }
        catch (TimeoutException) when (!asking.IsCompleted)
        {
            return Failed("timeout", $"No {what} within {deadline.TotalMilliseconds:0} ms.", null, start);
        }
        catch (Exception failure)
        {
            return Failed("failed", $"Asking for {what} failed: " + failure.Message, failure, start);
        }
        finally
        {
            if (!asking.IsCompleted)
                Abandon(asking, stop);
        }
    }

    Told<TAnswer> Failed(string problem, string message, Exception? exception, long start)
    {
        if (Interlocked.Increment(ref failuresInRow) >= FailuresBeforePause)
            Interlocked.Exchange(ref pausedUntil, time.GetTimestamp() + (long)(Pause.TotalSeconds * time.TimestampFrequency));
        counters.Failed(new(kind, message, exception));
        return new(null, problem, time.GetElapsedTime(start));
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
