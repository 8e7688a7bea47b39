using System.Globalization;
using System.Net;
using Flywheel.Core.Projects;
using Flywheel.Server.Tests.Gateway;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Observability;

public sealed class MetricsTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Other tests of this process count too, so figures are compared with what they were before.</summary>
    [Fact]
    public async Task Counters_rise_with_traffic()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        var before = await ScrapeAsync(server);

        var (status, _) = await server.PostAsync("/api/v1/spans", """
            {"spans": [
                {"trace_id": "t", "span_id": "1", "node": "n", "output": "a"},
                {"trace_id": "t", "span_id": "2", "node": "n", "output": "b"},
                {"trace_id": "t", "span_id": "1", "node": "n", "output": "another"},
                {"trace_id": "t", "span_id": "3", "node": "n", "output": "c", "started_at": "1970-01-01T00:00:00Z"}
            ]}
            """);
        Assert.Equal(200, status);
        await server.PostAsync("/api/v1/demonstrations/search", """{"node": "n", "input": "x"}""");

        var after = await ScrapeAsync(server);
        double Rise(string name) => after.GetValueOrDefault(name) - before.GetValueOrDefault(name);
        Assert.True(Rise("flywheel_intake_spans_total{flywheel_outcome=\"stored\"}") >= 2);
        Assert.True(Rise("flywheel_intake_spans_total{flywheel_outcome=\"conflicting\"}") >= 1);
        Assert.True(Rise("flywheel_intake_spans_total{flywheel_outcome=\"refused\"}") >= 1);
        Assert.True(Rise("flywheel_intake_duration_seconds_count") >= 1);
        Assert.True(Rise("flywheel_storage_commit_duration_seconds_count{db_system_name=\"sqlite\"}") >= 1);
        Assert.Contains("flywheel_queue_depth{flywheel_state=\"unpaired\"}", after.Keys);
        Assert.Contains("flywheel_queue_age_seconds", after.Keys);
    }

    [Fact]
    public async Task A_gateway_call_counts_its_time_and_what_the_gateway_adds_to_it()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("fine", 7, 3));
        var before = await ScrapeAsync(gateway.Server);

        await gateway.PostAsync(GatewayUnderTest.Chat("Hello"));

        var after = await ScrapeAsync(gateway.Server);
        foreach (var name in new[] { "flywheel_gateway_overhead_seconds_count",
            "flywheel_gateway_duration_seconds_count{flywheel_outcome=\"ok\"}" })
            Assert.True(after.GetValueOrDefault(name) > before.GetValueOrDefault(name), name);
    }

    [Fact]
    public async Task Workers_count_verdicts()
    {
        await using var server = await RunningServer.StartAsync();
        const string name = "flywheel_verdicts_total{flywheel_outcome=\"pass\",flywheel_lane=\"code\"}";
        var before = (await ScrapeAsync(server)).GetValueOrDefault(name);

        await server.PostAsync("/api/v1/metrics", """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":9}}""");
        await server.PostAsync("/api/v1/spans", """{"spans": [{"trace_id": "t", "span_id": "1", "node": "n", "output": "a"}]}""");
        for (var i = 0; i < 500 && (await ScrapeAsync(server)).GetValueOrDefault(name) <= before; i++)
            await Task.Delay(20, Ct);

        Assert.True((await ScrapeAsync(server)).GetValueOrDefault(name) > before);
    }

    [Fact]
    public async Task A_histogram_is_cumulative_and_ends_with_its_count()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        await server.PostAsync("/api/v1/spans", """{"spans": [{"trace_id": "t", "span_id": "1", "node": "n"}]}""");

        var figures = await ScrapeAsync(server);

        var buckets = figures.Where(each => each.Key.StartsWith("flywheel_intake_duration_seconds_bucket", StringComparison.Ordinal))
            .ToArray();
        Assert.Equal(18, buckets.Length);
        Assert.Equal(buckets.Select(each => each.Value).Order(), buckets.Select(each => each.Value));
        Assert.Equal(figures["flywheel_intake_duration_seconds_bucket{le=\"+Inf\"}"], figures["flywheel_intake_duration_seconds_count"]);
    }

    [Fact]
    public async Task Reading_needs_the_scope_read_where_keys_are_on()
    {
        await using var server = await RunningServer.StartAsync(("Auth", "Keys"), ("Work", "false"));
        foreach (var (secret, scope) in new[] { ("fw_in", KeyScope.Ingest), ("fw_read", KeyScope.Read) })
            await server.Store.Projects.AddKeyAsync(
                new(Guid.CreateVersion7(), ProjectId.Default, secret, "fw_", scope, DateTimeOffset.UtcNow, null, null),
                KeySecret.HashOf(secret), Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(server, null));
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync(server, "fw_in"));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(server, "fw_read"));
    }

    static async Task<HttpStatusCode> StatusAsync(RunningServer server, string? key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        if (key is not null)
            request.Headers.Add("x-api-key", key);
        using var response = await server.Http.SendAsync(request, Ct);
        return response.StatusCode;
    }

    static async Task<Dictionary<string, double>> ScrapeAsync(RunningServer server)
    {
        using var response = await server.Http.GetAsync("/metrics", Ct);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var figures = new Dictionary<string, double>();
        foreach (var line in (await response.Content.ReadAsStringAsync(Ct)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            if (!line.StartsWith('#') && line.LastIndexOf(' ') is var space)
                figures.Add(line[..space], double.Parse(line[(space + 1)..], CultureInfo.InvariantCulture));
        return figures;
    }
}
