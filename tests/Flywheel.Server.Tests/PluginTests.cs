using System.Text.Json;
using Flywheel.Core;
using Flywheel.Engine.Metrics;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

public sealed class PluginTests
{
    static readonly string Assembly = typeof(ShortKind).Assembly.Location;

    [Fact]
    public async Task An_operators_validator_decides_like_a_built_in_one()
    {
        await using var server = await StartAsync(("Plugins:0", Assembly));
        var (created, _) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"brief","criterion":"Brief?","validator":{"kind":"acme.short","most":5}}""");
        var (missing, refusal) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"bad","criterion":"Brief?","validator":{"kind":"acme.short"}}""");
        var (throws, fault) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"bad","criterion":"Brief?","validator":{"kind":"acme.short","most":13}}""");
        await server.AddSpansAsync(Span("t1", "s", output: "short"), Span("t2", "s", output: "not so short"));
        var passed = await VerdictAsync(server, "t1");
        var failed = await VerdictAsync(server, "t2");
        var listed = (await server.GetAsync("/api/v1/validators")).Body;

        Assert.Equal((201, 400, 400), (created, missing, throws));
        Assert.Contains("say how many characters are short", refusal.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("thirteen", fault.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(("pass", "fail"), (passed.GetProperty("outcome").GetString(), failed.GetProperty("outcome").GetString()));
        Assert.StartsWith("acme.short-", failed.GetProperty("validator_version").GetString(), StringComparison.Ordinal);
        Assert.Contains("acme.short", listed.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_setting_nobody_can_name_it()
    {
        await using var server = await StartAsync();

        var (status, _) = await server.PostAsync(
            "/api/v1/metrics", """{"name":"brief","criterion":"Brief?","validator":{"kind":"acme.short","most":5}}""");

        Assert.Equal(400, status);
    }

    [Fact]
    public async Task A_plug_in_that_cannot_be_had_stops_the_start_and_says_why()
    {
        var gone = await Assert.ThrowsAnyAsync<FlywheelException>(() => StartAsync(("Plugins:0", "/nowhere/acme.dll")));
        var empty = await Assert.ThrowsAnyAsync<FlywheelException>(
            () => StartAsync(("Plugins:0", typeof(JsonSerializer).Assembly.Location)));
        var twice = Assert.Throws<PluginException>(() => ValidatorPlugins.Load([Assembly, Assembly], []));

        Assert.Contains("check `Plugins`", gone.Message, StringComparison.Ordinal);
        Assert.Contains("holds no public class", empty.Message, StringComparison.Ordinal);
        Assert.Contains("as another kind of validator is", twice.Message, StringComparison.Ordinal);
    }

    static async Task<JsonElement> VerdictAsync(RunningServer server, string trace) =>
        (await server.EventuallyAsync(
            $"/api/v1/traces/{trace}", body => body.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 1))
            .GetProperty("spans")[0].GetProperty("verdicts")[0];
}
