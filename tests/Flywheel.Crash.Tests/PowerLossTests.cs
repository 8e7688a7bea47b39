using System.Diagnostics;
using Flywheel.TestServer;

namespace Flywheel.Crash.Tests;

[Collection("one server at a time")]
public sealed class PowerLossTests(ITestOutputHelper output)
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>FLYWHEEL_POWER_CUTS=50 is the full proof, FLYWHEEL_SEED another run.</summary>
    [Fact]
    public async Task A_power_cut_takes_nothing_that_was_acknowledged()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "LD_PRELOAD is Linux's.");
        var cuts = Site.Setting("FLYWHEEL_POWER_CUTS", 4);
        var random = new Random(Site.Setting("FLYWHEEL_SEED", 2_026));
        using var site = await Site.CreateAsync();
        var start = Stopwatch.GetTimestamp();
        var takenBack = new Dictionary<string, long> { ["db"] = 0, ["wal"] = 0 };

        for (var cut = 1; cut <= cuts; cut++)
        {
            // Every other one while the log is carried over into the database.
            var checkpoint = cut % 2 == 0;
            var loss = new PowerLoss(checkpoint ? random.Next(1, 500) : random.Next(300, 5_000), checkpoint, Lying: false, random.Next());
            var report = await CutAsync(site, loss);
            foreach (var file in takenBack.Keys)
                takenBack[file] += report.TakenBack(file);
            var audit = Audit.Of(site.Database, site.Ledger);
            Assert.True(audit.IsClean, $"After cut {cut}, {loss}: {audit}");
        }
        var figures = await site.FinishAsync();

        output.WriteLine(
            $"{cuts} power cuts: {figures}; taken back: {takenBack["wal"]} writes of the log, {takenBack["db"]} of the database; "
            + $"{Stopwatch.GetElapsedTime(start).TotalSeconds / cuts:0.0} s a cut");
        Assert.True(takenBack.Values.Sum() > 0, "The cuts took nothing back, so they prove nothing.");
    }

    /// <summary>The positive control: the same load, cut and audit must find losses once syncs do nothing.</summary>
    [Fact]
    public async Task With_a_disk_that_lies_about_syncs_the_same_check_finds_losses()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "LD_PRELOAD is Linux's.");
        var random = new Random(Site.Setting("FLYWHEEL_SEED", 2_026));
        var runs = Site.Setting("FLYWHEEL_LYING_CUTS", 2);
        var found = 0;

        for (var run = 1; run <= runs; run++)
        {
            using var site = await Site.CreateAsync();
            await CutAsync(site, new PowerLoss(random.Next(1_000, 5_000), InCheckpoint: false, Lying: true, random.Next()));
            var audit = Audit.Of(site.Database, site.Ledger);
            output.WriteLine($"lying cut {run}: {site.Ledger.Acknowledged} acknowledged; {audit}");
            found += audit.IsClean ? 0 : 1;
        }

        Assert.True(found > 0,
            $"{runs} cuts of a disk that keeps nothing, and the check noticed none: it could not notice a real loss either.");
    }

    sealed record Report(string Line)
    {
        /// <summary>From <c>powerloss: unsynced db 1 wal 2, taken back db 3 wal 4</c>.</summary>
        public long TakenBack(string file)
        {
            var words = Line[Line.IndexOf("taken back", StringComparison.Ordinal)..].Split(' ');
            return long.Parse(words[Array.IndexOf(words, file) + 1], System.Globalization.CultureInfo.InvariantCulture);
        }
    }

    /// <summary>A life under load that ends with the cut.</summary>
    static async Task<Report> CutAsync(Site site, PowerLoss loss)
    {
        using var server = await ServerUnderTest.StartAsync(site.Database, await loss.EnvironmentAsync(site.Database));
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(2 * Eventually.Limit);
        await new Load(server.Address, site.Ledger).RunAsync(patience.Token);
        Assert.False(patience.IsCancellationRequested, $"The power was never cut: {loss}");
        await server.WaitForDeathAsync();
        var line = server.Errors.FirstOrDefault(error => error.StartsWith("powerloss:", StringComparison.Ordinal));
        Assert.True(line is not null, "The server died of something else: " + string.Join('\n', server.Errors));
        return new(line);
    }
}
