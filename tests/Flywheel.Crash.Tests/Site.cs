using System.Globalization;
using System.Net.Http.Json;

namespace Flywheel.Crash.Tests;

/// <summary>A database of its own with three metrics, in a folder that goes with it.</summary>
sealed class Site : IDisposable
{
    readonly string _folder = Directory.CreateTempSubdirectory("flywheel-crash-").FullName;

    public string Database => Path.Combine(_folder, "crash.db");

    public Ledger Ledger { get; } = new();

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>A whole number from the environment, else the one for every day.</summary>
    public static int Setting(string name, int everyday) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : everyday;

    public static async Task<Site> CreateAsync()
    {
        var site = new Site();
        using var server = await ServerUnderTest.StartAsync(site.Database);
        using var http = new HttpClient { BaseAddress = server.Address };
        foreach (var metric in new object[]
        {
            new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 400, unit = "characters" } },
            new { name = "calm", criterion = "Does it keep calm?", sampling = 0.5,
                validator = new { kind = "absent", words = new[] { "broken" } } },
            new { name = "brief", criterion = "Are writers brief?", kinds = new[] { "writer" },
                validator = new { kind = "length", max = 200, unit = "characters" } },
        })
            (await http.PostAsJsonAsync("/api/v1/metrics", metric, Ct)).EnsureSuccessStatusCode();
        return site;
    }

    /// <summary>After the last death: a server takes the repeats, does what is left, and everything adds up.</summary>
    /// <returns>One line of figures.</returns>
    public async Task<string> FinishAsync()
    {
        using (var server = await ServerUnderTest.StartAsync(Database))
        {
            await new Load(server.Address, Ledger).RepeatAsync(Ct);
            await Pairs.SettleAsync(Database, Ct);
        }
        var audit = Audit.Of(Database, Ledger);
        Assert.True(audit.IsClean, audit.ToString());
        var pairs = Pairs.Of(Database);
        Assert.Equal(pairs with { Open = 0, Missing = 0, Doubled = 0, Uncounted = 0, Errors = 0 }, pairs);
        Assert.True(pairs.Spans >= Ledger.Spans.Count);
        var (exit, report) = await ServerUnderTest.DoctorAsync(Database);
        Assert.True(exit == 0, report);
        return $"{Ledger.Spans.Count} spans, {Ledger.Labels.Count} labels, {Ledger.Corrections.Count} corrections acknowledged, "
            + $"{Ledger.Verdicts.Count} verdicts seen, {Ledger.Repeated} requests repeated; {audit}; {pairs}";
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
