using Flywheel.Core.Jobs;
using Flywheel.Core.Observability;

namespace Flywheel.Engine.Jobs;

/// <summary>Measures the queue in the database: before each scrape, and now and then while metrics are exported.</summary>
public sealed class QueueMeasurement(IJobStore jobs, TimeProvider clock)
{
    const string State = "flywheel.state";

    public async Task RunOnceAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        var counts = await jobs.CountsAsync(now, ct);
        Depth("unpaired", counts.PendingSpans);
        Depth("waiting", counts.Waiting);
        Depth("leased", counts.Leased);
        Depth("dead", counts.Dead);
        FlywheelMeter.QueueAge.Record(counts.OldestWaiting is { } oldest ? Math.Max(0, (now - oldest).TotalSeconds) : 0);
    }

    static void Depth(string state, long count) => FlywheelMeter.QueueDepth.Record(count, new KeyValuePair<string, object?>(State, state));
}
