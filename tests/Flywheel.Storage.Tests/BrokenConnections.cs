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
                            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND "
                                + "application_name = 'flywheel'"),
                        System.Globalization.CultureInfo.InvariantCulture));
                    await Task.Delay(50, Ct);
                }
            },
            Ct);

        // On until enough connections broke, however slow the machine is. An error is no acknowledgement: such a span may be there or not.
        var acknowledged = new List<SpanKey>();
        var until = DateTime.UtcNow.AddMinutes(3);
        while (acknowledged.Count < 1_200 || (Interlocked.Read(ref broken) <= 5 && DateTime.UtcNow < until))
            foreach (var key in await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => AcknowledgedAsync(NewSpan()))))
                if (key is { } stored)
                    acknowledged.Add(stored);
        await ended.CancelAsync();
        await breaking;

        Assert.True(broken > 5, $"Only {broken} connections broke, so nothing is proved.");
        foreach (var key in acknowledged)
            Assert.NotNull(await Store.Spans.FindAsync(Home, key, Ct));
        Assert.Equal(await CountAsync("span"), (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
    }

    /// <returns>Null when the store could not say that the span is stored.</returns>
    async Task<SpanKey?> AcknowledgedAsync(NewSpan span)
    {
        try
        {
            // A statement whose answer was lost is sent again, and then finds its span there.
            var fate = Assert.Single(await Store.AddRawSpansAsync(Home, [span], Noon, Ct));
            Assert.NotEqual(SpanInsertResult.Conflicting, fate);
            return span.Key;
        }
        catch (System.Data.Common.DbException)
        {
            return null;
        }
    }
}
