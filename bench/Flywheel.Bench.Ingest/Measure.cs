using System.Diagnostics;

namespace Flywheel.Bench.Ingest;

/// <summary>Runs one case and accounts for its processor time.</summary>
/// <param name="warms">False measures at once, which says nothing about speed.</param>
sealed class Measure(TimeSpan duration, int postmaster, bool warms = true)
{
    const int Bursts = 12, MostBursts = 60;

    static readonly TimeSpan Burst = TimeSpan.FromSeconds(0.3);

    /// <param name="write">Writes one durable batch and returns its rows.</param>
    public Sample Bare(Func<int> write) => BareAsync(1, () => () => Task.FromResult(write()), usesPostgres: false).GetAwaiter().GetResult();

    /// <param name="open">Opens one client: what it returns writes one durable batch and returns its rows.</param>
    public async Task<Sample> BareAsync(int clients, Func<Func<Task<int>>> open, bool usesPostgres = true)
    {
        var writers = Enumerable.Range(0, clients).Select(_ => open()).ToArray();
        // As long as the product is warmed up, so that its table and indexes are no larger than these.
        if (warms)
            await RunAsync(writers, Burst * Bursts);
        var (own, database) = (Cpu.Own(), Cpu.OfPostgres(postmaster));
        var (rows, seconds) = await RunAsync(writers, duration);
        return new Sample(
            rows / seconds, null, usesPostgres ? (Cpu.OfPostgres(postmaster) - database) * 1e6 / rows : null,
            (Cpu.Own() - own) * 1e6 / rows);
    }

    /// <param name="load">Sends load for a while.</param>
    public async Task<Sample> ProductAsync(
        string name, ServerProcess server, int spans, Func<TimeSpan, Task<LoadResult>> load, bool usesPostgres)
    {
        if (warms)
            await WarmAsync(server, spans, load);
        var (own, ours, database) = (Cpu.Own(), server.CpuSeconds(), Cpu.OfPostgres(postmaster));
        var result = await load(duration);
        if (result.Failures > 0)
            Console.Error.WriteLine($"{name}: {result.Failures} requests failed");
        var stored = (double)result.Requests * spans;
        return new Sample(
            stored / result.Seconds, (server.CpuSeconds() - ours) * 1e6 / stored,
            usesPostgres ? (Cpu.OfPostgres(postmaster) - database) * 1e6 / stored : null,
            (Cpu.Own() - own) * 1e6 / stored, result.P50Ms, result.P99Ms);
    }

    /// <summary>Until the runtime has compiled what turned out to be hot, which a server that runs for minutes has behind it.</summary>
    static async Task WarmAsync(ServerProcess server, int spans, Func<TimeSpan, Task<LoadResult>> load)
    {
        var before = double.MaxValue;
        for (var burst = 0; burst < MostBursts; burst += Bursts)
        {
            var cpu = server.CpuSeconds();
            long requests = 0;
            for (var i = 0; i < Bursts; i++)
            {
                requests += (await load(Burst)).Requests;
                await Task.Delay(Burst); // the compiler waits for a moment without new code
            }
            var each = (server.CpuSeconds() - cpu) / requests / spans;
            if (each > 0.85 * before)
                return;
            before = each;
        }
    }

    static async Task<(double Rows, double Seconds)> RunAsync(Func<Task<int>>[] writers, TimeSpan duration)
    {
        var started = Stopwatch.GetTimestamp();
        var rows = await Task.WhenAll(writers.Select(write => Task.Run(async () =>
        {
            long written = 0;
            while (Stopwatch.GetElapsedTime(started) < duration)
                written += await write();
            return written;
        })));
        return (rows.Sum(), Stopwatch.GetElapsedTime(started).TotalSeconds);
    }
}
