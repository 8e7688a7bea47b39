using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Jobs;

/// <summary>Walks back-fills over past spans in small transactions, and holds back while there is work enough.</summary>
public sealed class BackfillWorker(IBackfillStore store, ValidatorRegistry registry, WorkSignal signal, TimeProvider clock)
{
    /// <summary>Spans of one transaction.</summary>
    public const int Chunk = 200;

    const int ChunksATurn = 25;

    /// <summary>Live spans are never behind more than so many jobs of the past.</summary>
    const int EnoughJobs = 5_000;

    readonly ValidatorCache _validators = new(registry);

    /// <returns>Spans looked at.</returns>
    public async Task<int> RunOnceAsync(CancellationToken ct)
    {
        var looked = 0;
        for (var i = 0; i < ChunksATurn && !await store.IsBusyAsync(EnoughJobs, ct); i++)
        {
            var now = await store.AdvanceAsync(Chunk, Pair, clock.GetUtcNow(), ct);
            looked += now;
            if (now == 0)
                break;
            signal.Set();
        }
        return looked;
    }

    /// <summary>As at fan-out, whatever the metric's state: a proposed one may be tried on the past.</summary>
    IReadOnlyList<Pairing> Pair(PendingSpan span, IReadOnlyList<Metric> metrics) =>
        _validators.Pair(span, [.. metrics.Select(metric => metric with { State = MetricState.Active })]);
}
