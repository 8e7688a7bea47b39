using Microsoft.Extensions.Logging;

namespace Flywheel.Client.Hosting;

/// <summary>Tells the application's log of failures, of each kind once a minute: a server that is away must not fill the log.</summary>
sealed class FailureLog(ILogger log, TimeProvider time)
{
    static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    readonly Lock gate = new();
    readonly Dictionary<FlywheelFailureKind, (long At, long Untold)> told = [];

    public void Tell(FlywheelFailure failure)
    {
        long untold;
        lock (gate)
        {
            var known = told.TryGetValue(failure.Kind, out var last);
            if (known && time.GetElapsedTime(last.At) < Quiet)
            {
                told[failure.Kind] = last with { Untold = last.Untold + 1 };
                return;
            }
            untold = last.Untold;
            told[failure.Kind] = (time.GetTimestamp(), 0);
        }
        log.LogWarning(
            failure.Exception, "Flywheel, {Kind}: {Message} The application is not affected. ({Untold} more since the last time.)",
            failure.Kind, failure.Message, untold);
    }
}
