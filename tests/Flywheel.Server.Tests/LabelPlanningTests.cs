using System.Text.Json;
using Flywheel.Engine.Review;
using Flywheel.TestServer;
using Microsoft.Extensions.DependencyInjection;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>From verdicts to drawn items, labels and true rates, over HTTP; a scripted provider judges.</summary>
public sealed class LabelPlanningTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static bool IsBad(int i) => i % 4 == 0;

    /// <summary>A judge who passes half of what is bad.</summary>
    static async Task<(ModelTestServer Provider, RunningServer Server)> JudgedAsync(int spans, double auditRate = 0)
    {
        var provider = (await ModelTestServer.StartAsync()).Otherwise(request => ModelReply.Says(
            request.Body.GetRawText().Contains("and fails", StringComparison.Ordinal)
                ? """{"critique":"It is rude.","verdict":"fail","confidence":0.9}"""
                : """{"critique":"It is polite.","verdict":"pass","confidence":0.9}"""));
        var server = await RunningServer.StartAsync(
            ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"),
            ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()));
        using var limits = new HttpRequestMessage(HttpMethod.Put, "/api/v1/project")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(
                    new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = auditRate, canary_rate = 0,
                        blind_share = 1 }),
                System.Text.Encoding.UTF8, "application/json"),
        };
        Assert.Equal(200, (await server.SendAsync(limits)).Status);
        Assert.Equal(201, (await server.PostAsync(
            "/api/v1/metrics", new { name = "polite", criterion = "Is it polite?", validator = new { kind = "judge" } })).Status);
        await server.AddSpansAsync([.. Enumerable.Range(0, spans).Select(i => Span(
            $"t{i}", "s", node: "answer", kind: "writer",
            output: IsBad(i) ? $"Go away, case {i}{(i % 8 == 0 ? " and fails" : "")}." : $"Gladly, we look into case {i} for you."))]);
        await server.EventuallyAsync("/api/v1/metrics/polite/summary", body => Judged(body) >= spans);
        return (provider, server);
    }

    static int Judged(JsonElement summary) =>
        summary.GetProperty("versions").EnumerateArray().Sum(version => version.GetProperty("rates").GetProperty("N").GetInt32());

    static async Task<JsonElement[]> QueueAsync(RunningServer server, string query) =>
        [.. (await server.GetAsync("/api/v1/review?metric=polite&" + query)).Body.GetProperty("items").EnumerateArray()];

    static async Task LabelAsync(RunningServer server, JsonElement item)
    {
        var trace = item.GetProperty("trace_id").GetString()!;
        var (status, body) = await server.PostAsync(
            "/api/v1/labels", new { trace_id = trace, span_id = "s", metric = "polite",
                passed = !IsBad(int.Parse(trace[1..], System.Globalization.CultureInfo.InvariantCulture)) });
        Assert.True(status == 200, body.ToString());
    }

    [Fact]
    public async Task Drawn_items_are_served_blind_and_their_labels_alone_make_the_rate()
    {
        var (provider, server) = await JudgedAsync(120);
        await using var _ = provider;
        await using var __ = server;
        var planner = server.Services.GetRequiredService<LabelPlanner>();

        await planner.RunOnceAsync(Ct);
        var drawn = await QueueAsync(server, "reason=random-audit");

        // A fifth of 120, give or take one that the worker beside us may have drawn with.
        Assert.InRange(drawn.Length, 23, 25);
        Assert.All(drawn, item => Assert.Equal("blind", item.GetProperty("served").GetString()));
        Assert.All(drawn, item => Assert.InRange(item.GetProperty("propensity").GetDouble(), 0.05, 1));
        Assert.Contains(drawn, item => item.GetProperty("propensity").GetDouble() != drawn[0].GetProperty("propensity").GetDouble());
        Assert.Equal(0, await planner.RunOnceAsync(Ct));

        // Somebody works off the failures first, unasked for their chance.
        foreach (var item in (await QueueAsync(server, "reason=low-score"))
            .Where(item => item.GetProperty("propensity").ValueKind == JsonValueKind.Null).Take(10))
            await LabelAsync(server, item);
        foreach (var item in drawn)
            await LabelAsync(server, item);

        var rates = (await server.GetAsync("/api/v1/metrics/polite/summary")).Body.GetProperty("versions")[0].GetProperty("rates");
        Assert.Equal(drawn.Length, rates.GetProperty("n").GetInt32());
        Assert.Equal(120, rates.GetProperty("N").GetInt32());
        Assert.True(rates.GetProperty("picked").GetInt32() >= 5, rates.ToString());
        // Before any label nothing tells two items of a verdict apart.
        Assert.Equal("beta-cells", rates.GetProperty("method").GetString());
        Assert.InRange(0.75, rates.GetProperty("pass_rate").GetProperty("low").GetDouble(),
            rates.GetProperty("pass_rate").GetProperty("high").GetDouble());
    }

    [Fact]
    public async Task What_people_failed_moves_its_like_to_the_front_of_the_low_scores()
    {
        var (provider, server) = await JudgedAsync(80);
        await using var _ = provider;
        await using var __ = server;
        // Two of each are enough to tell; the judge passes every second failure.
        foreach (var i in new[] { 4, 12, 20, 1, 2, 3, 5, 6 })
            await LabelAsync(server, JsonSerializer.SerializeToElement(new { trace_id = $"t{i}" }));

        await server.Services.GetRequiredService<FixingPlanner>().RunOnceAsync(Ct);
        var order = await QueueAsync(server, "reason=low-score&limit=17");

        // Seventeen failures are left, eight of which the judge passed.
        var bad = order.Count(
            item => IsBad(int.Parse(item.GetProperty("trace_id").GetString()![1..], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.InRange(bad, 15, 17);
        Assert.All(order, item => Assert.Equal(JsonValueKind.Null, item.GetProperty("propensity").ValueKind));
    }
}
