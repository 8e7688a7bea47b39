using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

/// <summary>PostgreSQL may go away at any moment; SQLite has no connection to lose.</summary>
public sealed class BrokenConnections(PostgresCluster cluster) : StoreConformance(cluster)
{
    [Fact]
    public async Task What_was_acknowledged_while_connections_broke_is_stored_once()
    {
        await MetricAsync();
        using var ended = new CancellationTokenSource();
        var broken = 0L;
        var breaking = Task.Run(
            async () =>
            {
                while (!ended.IsCancellationRequested)
                {
                    Interlocked.Add(ref broken, Convert.ToInt64(
                        await SqlAsync(
                            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'flywheel'"),
                        System.Globalization.CultureInfo.InvariantCulture));
                    await Task.Delay(30, Ct);
                }
            },
            Ct);

        // On until enough connections broke, however slow the machine is.
        var fates = new List<SpanFate>();
        var until = DateTime.UtcNow.AddSeconds(30);
        while (fates.Count < 1_200 || (Interlocked.Read(ref broken) <= 5 && DateTime.UtcNow < until))
            fates.AddRange((await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Store.Spans.AddAsync(Home, [NewSpan()], Noon, Ct)))).SelectMany(fate => fate));
        await ended.CancelAsync();
        await breaking;

        Assert.True(broken > 5, $"Only {broken} connections broke, so nothing is proved.");
        // A statement whose answer was lost is sent again, and then finds its spans there.
        Assert.All(fates, fate => Assert.True(fate is SpanFate.Stored or SpanFate.Repeated));
        Assert.Equal(fates.Count, await CountAsync("span"));
        Assert.Equal(fates.Count, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
    }
}
