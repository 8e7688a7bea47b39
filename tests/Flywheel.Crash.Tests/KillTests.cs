using System.Diagnostics;
using Flywheel.TestServer;

namespace Flywheel.Crash.Tests;

[Collection("one server at a time")]
public sealed class KillTests(ITestOutputHelper output)
{
    /// <summary>FLYWHEEL_KILLS=50 is the full proof, FLYWHEEL_SEED another run.</summary>
    [Fact]
    public async Task A_killed_server_has_lost_nothing_doubled_nothing_and_goes_on_with_what_was_left()
    {
        var ct = TestContext.Current.CancellationToken;
        var kills = Site.Setting("FLYWHEEL_KILLS", 7);
        var seed = Site.Setting("FLYWHEEL_SEED", 2_026);
        var random = new Random(seed);
        using var site = await Site.CreateAsync();
        var start = Stopwatch.GetTimestamp();
        var leased = 0L;
        var longest = TimeSpan.Zero;

        for (var kill = 1; kill <= kills; kill++)
        {
            using (var server = await ServerUnderTest.StartAsync(site.Database))
            {
                // What the life before left behind must be done before this one gets work of its own.
                var settling = await Pairs.SettleAsync(site.Database, ct);
                longest = settling > longest ? settling : longest;
                var pairs = Pairs.Of(site.Database);
                Assert.Equal(pairs with { Open = 0, Missing = 0, Doubled = 0, Errors = 0 }, pairs);

                var load = new Load(server.Address, site.Ledger).RunAsync(ct);
                await Task.Delay(random.Next(200, 1_500), ct);
                // On a slow machine the life is longer: a kill before anything was promised proves nothing.
                await Eventually.IsAsync(() => site.Ledger.HasMoreThan(kill), ct);
                server.Kill();
                await load;
            }
            using (var file = new DatabaseFile(site.Database))
                leased += file.Number("SELECT count(*) FROM job WHERE worker IS NOT NULL");
            var audit = Audit.Of(site.Database, site.Ledger);
            Assert.True(audit.IsClean, $"After kill {kill} of {kills} with seed {seed}: {audit}");
        }
        var figures = await site.FinishAsync();

        output.WriteLine(
            $"{kills} kills, seed {seed}: {figures}; {leased} jobs were leased to the dead, done {longest.TotalSeconds:0.0} s after a "
                + "start at worst; "
            + $"{Stopwatch.GetElapsedTime(start).TotalSeconds / kills:0.0} s a kill");
        Assert.True(site.Ledger.HasMoreThan(kills), "Too little happened to prove anything.");
        Assert.True(leased > 0, "No kill met a job in work, so nothing is proved of leases: run it with another FLYWHEEL_SEED.");
    }
}
