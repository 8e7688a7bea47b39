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
        var breaking = Task.Run(
            async () =>
            {
                var broken = 0L;
                while (!ended.IsCancellationRequested)
                {
                    broken += Convert.ToInt64(
                        await SqlAsync(
                            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'flywheel'"),
                        System.Globalization.CultureInfo.InvariantCulture);
                    await Task.Delay(30, Ct);
                }
                return broken;
            },
            Ct);

        var spans = Enumerable.Range(0, 1_200).Select(_ => NewSpan()).ToArray();
        var fates = new List<SpanFate>();
        foreach (var some in spans.Chunk(60))
            fates.AddRange((await Task.WhenAll(some.Select(span => Store.Spans.AddAsync(Home, [span], Noon, Ct)))).SelectMany(fate => fate));
        await ended.CancelAsync();

        Assert.True(await breaking > 5);
        // A statement whose answer was lost is sent again, and then finds its spans there.
        Assert.All(fates, fate => Assert.True(fate is SpanFate.Stored or SpanFate.Repeated));
        Assert.Equal(1_200, await CountAsync("span"));
        Assert.Equal(1_200, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
    }
}
