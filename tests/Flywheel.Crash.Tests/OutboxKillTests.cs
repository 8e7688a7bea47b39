using Flywheel.TestServer;
namespace Flywheel.Crash.Tests;

/// <summary>Applications that are killed while the server is away, and while it is killed as well.</summary>
[Collection("one server at a time")]
public sealed class OutboxKillTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Nobody listens there.</summary>
    static readonly Uri Nowhere = new("http://127.0.0.1:9");

    readonly string folder = Directory.CreateTempSubdirectory("flywheel-outbox-").FullName;

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    string Database => Path.Combine(folder, "outbox.db");

    string Outbox => Path.Combine(folder, "outbox");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task What_an_application_said_is_safe_arrives_once_whoever_is_killed()
    {
        var said = new List<string>();

        // Two applications on one folder, and no server.
        using (var one = new AppUnderTest(Nowhere, Outbox))
        using (var other = new AppUnderTest(Nowhere, Outbox))
        {
            await one.HasSaidAsync(40);
            await other.HasSaidAsync(40);
            one.Kill();
            other.Kill();
            said.AddRange([.. one.Safe, .. other.Safe]);
        }
        Assert.True(Directory.GetFiles(Outbox).Length >= 2);

        // A server that dies while it is being told, and an application that dies with it.
        using (var server = await ServerUnderTest.StartAsync(Database))
        using (var app = new AppUnderTest(server.Address, Outbox))
        {
            await app.HasSaidAsync(20);
            server.Kill();
            await app.HasSaidAsync(app.Safe.Count + 20);
            app.Kill();
            said.AddRange(app.Safe);
        }

        using (var server = await ServerUnderTest.StartAsync(Database))
        using (var app = new AppUnderTest(server.Address, Outbox))
        {
            await Eventually.IsAsync(() => !said.Except(Stored()).Any(), Ct);
        }
        var stored = Stored();
        Assert.Equal(stored.Count, stored.Distinct().Count());
        output.WriteLine($"{said.Count} calls said to be safe, all there once; {stored.Count} spans in all");
    }

    [Fact]
    public async Task Without_an_outbox_they_are_lost()
    {
        List<string> said;
        using (var app = new AppUnderTest(Nowhere, "-"))
        {
            await app.HasSaidAsync(40);
            app.Kill();
            said = [.. app.Safe];
        }

        using (var server = await ServerUnderTest.StartAsync(Database))
        using (var app = new AppUnderTest(server.Address, "-"))
        {
            await Eventually.IsAsync(() => Stored().Count > 0, Ct);
        }

        Assert.Empty(said.Intersect(Stored()));
    }

    List<string> Stored()
    {
        using var file = new DatabaseFile(Database);
        return [.. file.Texts("SELECT trace_id || '/' || span_id FROM span")];
    }
}
