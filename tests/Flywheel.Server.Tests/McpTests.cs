using System.Net;
using System.Text;
using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.TestServer;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>The door of agents, through the protocol's own client.</summary>
public sealed class McpTests
{
    const string Fails = """{"critique":"It names no sum.","verdict":"fail","confidence":0.9}""";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static async Task<McpClient> ConnectAsync(RunningServer server, string? key = null, string? version = null) =>
        await McpClient.CreateAsync(
        new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = new Uri(server.Http.BaseAddress!, "/mcp"),
            TransportMode = HttpTransportMode.StreamableHttp,
            AdditionalHeaders = key is null
                ? new Dictionary<string, string>() : new Dictionary<string, string> { ["Authorization"] = "Bearer " + key },
        }),
        new McpClientOptions { ProtocolVersion = version }, cancellationToken: Ct);

    static async Task<(bool Failed, string Text)> CallAsync(McpClient client, string tool, object arguments)
    {
        var given = JsonSerializer.SerializeToElement(arguments).EnumerateObject()
            .ToDictionary(each => each.Name, each => (object?)each.Value);
        var result = await client.CallToolAsync(tool, given, cancellationToken: Ct);
        return (result.IsError == true, Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text);
    }

    static async Task<JsonElement> ReadAsync(McpClient client, string tool, object arguments)
    {
        var (failed, text) = await CallAsync(client, tool, arguments);
        Assert.False(failed, text);
        return JsonDocument.Parse(text).RootElement;
    }

    static async Task<string> ErrorAsync(McpClient client, string tool, object arguments)
    {
        var (failed, text) = await CallAsync(client, tool, arguments);
        Assert.True(failed, text);
        return text;
    }

    static async Task<string> KeyAsync(RunningServer server, string project, KeyScope scope, string name = "scout")
    {
        var owner = await server.Store.Projects.EnsureAsync(project, DateTimeOffset.UtcNow, Ct);
        var secret = KeySecret.New();
        await server.Store.Projects.AddKeyAsync(
            new ApiKey(Guid.CreateVersion7(), owner.Id, name, secret[..10], scope, DateTimeOffset.UtcNow, null, null),
            KeySecret.HashOf(secret), Ct);
        return secret;
    }

    static async Task<(int Status, JsonElement Body)> PutAsync(RunningServer server, string path, object body) => await server.SendAsync(
        new HttpRequestMessage(
            HttpMethod.Put, path) { Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, "application/json") });

    [Fact]
    public async Task A_metric_reads_the_same_for_agents_as_over_REST_with_what_its_judges_confidence_is_worth()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", new { name = "kind", criterion = "Is it kind?", validator = new { kind = "judge" } });
        await using var client = await ConnectAsync(server);

        var read = await ReadAsync(client, "read_metric", new { metric = "kind", by = "node" });
        var rest = (await server.GetAsync("/api/v1/metrics/kind/summary?by=node")).Body;

        Assert.True(JsonElement.DeepEquals(rest, read), read.GetRawText());
        Assert.Contains("Not enough labels for the guarantee", read.GetProperty("calibration").GetProperty("note").GetString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_agent_finds_reads_and_proposes_and_a_person_decides()
    {
        await using var server = await StartAsync();
        await PutAsync(server, "/api/v1/project",
            new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = 0, blind_share = 0 });
        await server.PostAsync(
            "/api/v1/metrics", """{"name":"answer.short","criterion":"Is it short?","validator":{"kind":"length","max":10}}""");
        await server.AddSpansAsync(
            Span("t1", "s", node: "answer", kind: "writer", input: "Where is my PARCEL?",
                output: "It is on its way to you, dear customer."),
            Span("t2", "s", node: "answer", kind: "writer", output: "Soon."), Span("t3", "s", input: "cancel", output: "cancel_order"));
        await server.EventuallyAsync("/api/v1/review", body => body.GetProperty("items").GetArrayLength() == 2);
        await using var agent = await ConnectAsync(server);

        var tools = await agent.ListToolsAsync(cancellationToken: Ct);
        Assert.Equal(
            ["list_demonstrations", "list_guidelines", "list_metrics", "list_validators", "propose_correction", "propose_guideline",
                "propose_label", "propose_metric", "read_metric", "read_review_queue", "read_trace", "search_traces"],
            tools.Select(tool => tool.Name).Order());
        Assert.All(tools, tool =>
            Assert.Equal(!tool.Name.StartsWith("propose", StringComparison.Ordinal), tool.ProtocolTool.Annotations?.ReadOnlyHint == true));
        Assert.DoesNotContain(
            "ct", tools.Single(tool => tool.Name == "search_traces").JsonSchema.GetProperty("properties").EnumerateObject()
                .Select(each => each.Name));

        string[] Found(JsonElement page) =>
            [.. page.GetProperty("spans").EnumerateArray().Select(span => span.GetProperty("trace_id").GetString()!)];
        Assert.Equal(["t3", "t2", "t1"], Found(await ReadAsync(agent, "search_traces", new { })));
        Assert.Equal(["t1"], Found(await ReadAsync(agent, "search_traces", new { text = "my parcel" })));
        Assert.Equal(["t2", "t1"], Found(await ReadAsync(agent, "search_traces", new { node = "answer", kind = "writer" })));
        Assert.Equal(["t3", "t1"], Found(await ReadAsync(agent, "search_traces", new { outcome = "fail", metric = "answer.short" })));
        Assert.Empty(Found(await ReadAsync(agent, "search_traces", new { from = "2100-01-01T00:00:00Z" })));
        var first = await ReadAsync(agent, "search_traces", new { limit = 2 });
        Assert.Equal(["t1"], Found(
            await ReadAsync(agent, "search_traces", new { limit = 2, cursor = first.GetProperty("next").GetString() })));
        Assert.StartsWith("invalid_outcome", await ErrorAsync(agent, "search_traces", new { outcome = "bad" }), StringComparison.Ordinal);
        Assert.StartsWith("invalid_cursor", await ErrorAsync(agent, "search_traces", new { cursor = "x" }), StringComparison.Ordinal);
        Assert.StartsWith("invalid_limit", await ErrorAsync(agent, "search_traces", new { limit = 1000 }), StringComparison.Ordinal);

        var trace = await ReadAsync(agent, "read_trace", new { trace_id = "t1", max_chars = 100 });
        Assert.Equal("fail", trace.GetProperty("spans")[0].GetProperty("verdicts")[0].GetProperty("outcome").GetString());
        Assert.StartsWith("unknown_trace", await ErrorAsync(agent, "read_trace", new { trace_id = "none" }), StringComparison.Ordinal);
        Assert.Equal(2, (await ReadAsync(agent, "read_review_queue", new { })).GetProperty("items").GetArrayLength());
        Assert.Equal("answer.short",
            (await ReadAsync(agent, "list_metrics", new { })).GetProperty("metrics")[0].GetProperty("name").GetString());
        var rate = (await ReadAsync(agent, "read_metric", new { metric = "answer.short" })).GetProperty("versions")[0]
            .GetProperty("validator_pass_rate");
        Assert.Equal((3, true),
            (rate.GetProperty("n").GetInt32(), rate.GetProperty("low").GetDouble() < rate.GetProperty("high").GetDouble()));
        Assert.Contains("length", (await ReadAsync(agent, "list_validators", new { })).GetRawText(), StringComparison.Ordinal);
        Assert.Contains("unit", (await ReadAsync(agent, "list_validators", new { kind = "length" })).GetRawText(),
            StringComparison.Ordinal);

        async Task<string> ProposeAsync(string tool, object arguments) =>
            (await ReadAsync(agent, tool, arguments)).GetProperty("state").GetString()!;
        var label = new { trace_id = "t1", span_id = "s", metric = "answer.short", passed = true, critique = "Polite, and short enough." };
        Assert.Equal("proposed", await ProposeAsync("propose_label", label));
        Assert.Equal("repeated", await ProposeAsync("propose_label", label));
        var correction = new { trace_id = "t1", span_id = "s", corrected_output = "On its way.", reason = "Shorter." };
        Assert.Equal("proposed", await ProposeAsync("propose_correction", correction));
        Assert.Equal("repeated", await ProposeAsync("propose_correction", correction));
        var metric = new { name = "answer.polite", criterion = "Is it polite?", validator = new { kind = "length", max = 99 } };
        Assert.Equal("proposed", await ProposeAsync("propose_metric", metric));
        Assert.Equal("repeated", await ProposeAsync("propose_metric", metric));
        Assert.StartsWith("metric_exists", await ErrorAsync(agent, "propose_metric", metric with { name = "answer.short" }),
            StringComparison.Ordinal);
        Assert.Equal("proposed",
            await ProposeAsync("propose_guideline", new { metric = "answer.short", text = "Greetings do not count." }));
        Assert.Equal("repeated",
            await ProposeAsync("propose_guideline", new { metric = "answer.short", text = "Greetings do not count." }));
        Assert.Equal("proposed",
            (await ReadAsync(agent, "list_guidelines", new { metric = "answer.short" })).GetProperty("guidelines")[0].GetProperty("state")
                .GetString());
        var example = (await ReadAsync(agent, "list_demonstrations", new { node = "answer" })).GetProperty("demonstrations")[0];
        Assert.Equal(("pending", "agent:local", "On its way."),
            (example.GetProperty("state").GetString(), example.GetProperty("author").GetString(),
                example.GetProperty("output").GetString()));

        // Nothing of it is in force: the metric has checked nothing, no correction closed the item, no label counts.
        Assert.Equal("proposed", (await server.GetAsync("/api/v1/metrics/answer.polite")).Body.GetProperty("state").GetString());
        Assert.Equal(0, (await server.GetAsync("/api/v1/metrics/answer.polite/summary")).Body.GetProperty("versions").GetArrayLength());
        Assert.Empty((await server.GetAsync("/api/v1/labels")).Body.EnumerateArray());
        var item = (await server.GetAsync("/api/v1/review?metric=answer.short")).Body.GetProperty("items").EnumerateArray()
            .First(each => each.GetProperty("trace_id").GetString() == "t1");
        Assert.Equal(("suggested", "pass", "agent:local"), (
            item.GetProperty("served").GetString(), item.GetProperty("suggestion").GetProperty("verdict").GetString(),
            item.GetProperty("suggestion").GetProperty("author").GetString()));
        Assert.Equal(409, (await server.PostAsync(
            "/api/v1/labels", new { trace_id = "t1", span_id = "s", metric = "answer.short", passed = true, mode = "blind" })).Status);
        Assert.Equal("accepted",
            (await server.PostAsync(
                "/api/v1/labels", new { trace_id = "t1", span_id = "s", metric = "answer.short", passed = true, author = "ann" }))
                    .Body.GetProperty("mode").GetString());
        Assert.Equal(0, (await server.GetAsync("/api/v1/metrics/answer.short/summary")).Body.GetProperty("blind_labels").GetInt32());
        Assert.StartsWith("labelled", await ErrorAsync(agent, "propose_label", label with { passed = false }), StringComparison.Ordinal);

        var audit = (await server.GetAsync("/api/v1/audit")).Body;
        Assert.Equal(
            ["demonstration.propose", "guideline.propose", "label.propose", "metric.add"],
            audit.GetProperty("entries").EnumerateArray().Where(entry => entry.GetProperty("actor").GetString() == "agent:local")
                .Select(entry => entry.GetProperty("action").GetString()).Order());
        Assert.Equal(JsonValueKind.Null, audit.GetProperty("first_broken").ValueKind);
    }

    [Fact]
    public async Task Verdicts_of_blind_items_are_withheld_from_agents_and_what_agents_propose_from_blind_items()
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says(Fails));
        await using var server = await StartAsync(
            ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"),
            ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()), ("Work", "false"));
        await PutAsync(server, "/api/v1/project",
            new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = 0, canary_rate = 0 });
        await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", validator = new { kind = "judge" } });
        await server.AddSpansAsync(
            [.. Enumerable.Range(0, 60)
                .Select(i => Span($"t{i}", "s", node: "answer", kind: "writer", output: $"It costs a lot, case {i}."))]);
        // No planner runs, which would draw items between one look and the next.
        var worker = server.Services.GetRequiredService<Engine.Jobs.MetricWorker>();
        for (var turn = 0; turn < 100
            && (await server.Store.Review.ListAsync(ProjectId.Default, new(Limit: 100), Ct)).Items.Count < 60; turn++)
            await worker.RunOnceAsync(Ct);
        await using var agent = await ConnectAsync(server);

        // The agent looks before any person has: what would be blind is hidden all the same.
        var before = await ReadAsync(agent, "search_traces", new { outcome = "fail", limit = 100 });
        var items = (await server.GetAsync("/api/v1/review?limit=500")).Body.GetProperty("items").EnumerateArray()
            .ToLookup(item => item.GetProperty("served").GetString(), item => item.GetProperty("trace_id").GetString()!);
        var (blind, suggested) = (items["blind"].ToHashSet(), items["suggested"].ToHashSet());
        Assert.InRange(blind.Count, 5, 30);

        string[] Traces(JsonElement page, string list) =>
            [.. page.GetProperty(list).EnumerateArray().Select(each => each.GetProperty("trace_id").GetString()!)];
        Assert.Equal(suggested.Order(), Traces(before, "spans").Order());
        var all = await ReadAsync(agent, "search_traces", new { limit = 100 });
        Assert.All(all.GetProperty("spans").EnumerateArray(), span => Assert.Equal(
            suggested.Contains(span.GetProperty("trace_id").GetString()!) ? 1 : 0, span.GetProperty("outcomes").EnumerateObject().Count()));
        var queue = await ReadAsync(agent, "read_review_queue", new { limit = 100 });
        Assert.Equal(suggested.Order(), Traces(queue, "items").Order());
        Assert.Equal(suggested.Order(),
            Traces(await ReadAsync(agent, "read_review_queue", new { limit = 100, reason = "low-score" }), "items").Order());
        var (seen, cursor) = (new List<string>(), (string?)null);
        do
        {
            var page = await ReadAsync(agent, "search_traces", new { outcome = "fail", limit = 7, cursor });
            seen.AddRange(Traces(page, "spans"));
            cursor = page.GetProperty("next").GetString();
        }
        while (cursor is not null);
        Assert.Equal(suggested.Order(), seen.Order());

        var hidden = await ReadAsync(agent, "read_trace", new { trace_id = blind.First() });
        Assert.Equal((0, "sum"),
            (hidden.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength(),
                hidden.GetProperty("withheld_metrics")[0].GetString()));
        var open = await ReadAsync(agent, "read_trace", new { trace_id = suggested.First() });
        Assert.Equal("fail", open.GetProperty("spans")[0].GetProperty("verdicts")[0].GetProperty("outcome").GetString());

        Task<string> RefusedAsync(string trace) =>
            ErrorAsync(agent, "propose_label",
                new { trace_id = trace, span_id = "s", metric = "sum", passed = true, critique = "It does." });
        Assert.StartsWith("served_blind", await RefusedAsync(blind.First()), StringComparison.Ordinal);
        await ReadAsync(agent, "propose_label",
            new { trace_id = suggested.First(), span_id = "s", metric = "sum", passed = true, critique = "It does." });
        var item = (await server.GetAsync("/api/v1/review?limit=500")).Body.GetProperty("items").EnumerateArray()
            .First(each => each.GetProperty("trace_id").GetString() == suggested.First());
        // The judge's word stays the suggestion: agreement with it is what is measured.
        Assert.Equal(("fail", "pass"),
            (item.GetProperty("suggestion").GetProperty("verdict").GetString(),
                item.GetProperty("proposals")[0].GetProperty("verdict").GetString()));

        // Once people have labelled it blind, there is nothing left to keep.
        Assert.Equal("blind",
            (await server.PostAsync("/api/v1/labels", new { trace_id = blind.First(), span_id = "s", metric = "sum", passed = true }))
                .Body.GetProperty("mode").GetString());
        Assert.Equal("fail", (await ReadAsync(agent, "read_trace", new { trace_id = blind.First() })).GetProperty("spans")[0]
            .GetProperty("verdicts")[0].GetProperty("outcome").GetString());
    }

    [Fact]
    public async Task A_key_reaches_its_own_project_only_and_a_reading_key_may_not_propose()
    {
        await using var server = await StartAsync(("Auth", "Keys"));
        var (agentKey, readKey, otherKey) = (
            await KeyAsync(server, "one", KeyScope.Agent), await KeyAsync(server, "one", KeyScope.Read),
            await KeyAsync(server, "two", KeyScope.Agent));
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", await KeyAsync(server, "one", KeyScope.Admin));
        await server.AddSpansAsync(Span("secret", "s", input: "canary-text"));
        await server.PostAsync("/api/v1/metrics", """{"name":"m","criterion":"Is it short?","validator":{"kind":"length","max":1}}""");

        foreach (var key in new[] { null, "fw_wrong", await KeyAsync(server, "one", KeyScope.Ingest),
            await KeyAsync(server, "one", KeyScope.Models) })
            await Assert.ThrowsAnyAsync<Exception>(() => ConnectAsync(server, key));
        await using var agent = await ConnectAsync(server, agentKey);
        await using var reader = await ConnectAsync(server, readKey);
        await using var other = await ConnectAsync(server, otherKey);

        Assert.Contains("canary-text", (await ReadAsync(agent, "search_traces", new { })).GetRawText(), StringComparison.Ordinal);
        Assert.Contains("canary-text", (await ReadAsync(reader, "read_trace", new { trace_id = "secret" })).GetRawText(),
            StringComparison.Ordinal);
        Assert.DoesNotContain("secret", (await ReadAsync(other, "search_traces", new { })).GetRawText(), StringComparison.Ordinal);
        Assert.StartsWith("unknown_trace", await ErrorAsync(other, "read_trace", new { trace_id = "secret" }), StringComparison.Ordinal);
        Assert.StartsWith("unknown_metric", await ErrorAsync(other, "read_metric", new { metric = "m" }), StringComparison.Ordinal);
        Assert.StartsWith("unknown_span",
            await ErrorAsync(other, "propose_correction", new { trace_id = "secret", span_id = "s", corrected_output = "x", reason = "y" }),
            StringComparison.Ordinal);
        foreach (var (tool, arguments) in new (string, object)[]
        {
            ("propose_label", new { trace_id = "secret", span_id = "s", metric = "m", passed = true, critique = "c" }),
            ("propose_correction", new { trace_id = "secret", span_id = "s", corrected_output = "x", reason = "y" }),
            ("propose_metric", new { name = "n", criterion = "c?", validator = new { kind = "length", max = 1 } }),
            ("propose_guideline", new { metric = "m", text = "rule" }),
        })
            Assert.StartsWith("scope_missing", await ErrorAsync(reader, tool, arguments), StringComparison.Ordinal);

        // An agent's key opens nothing else, so that it cannot read around what is withheld, nor label.
        server.Http.DefaultRequestHeaders.Authorization = new("Bearer", agentKey);
        Assert.Equal(403, (await server.GetAsync("/api/v1/traces/secret")).Status);
        Assert.Equal(403, (await server.PostAsync(
            "/api/v1/labels", new { trace_id = "secret", span_id = "s", metric = "m", passed = true })).Status);
        Assert.Equal(403, (await server.AddSpansAsync(Span("t", "s"))).Status);
    }

    [Theory]
    [InlineData("2025-03-26")]
    [InlineData("2025-06-18")]
    [InlineData("2025-11-25")]
    [InlineData(null)]
    public async Task Clients_of_each_version_of_the_protocol_are_served(string? version)
    {
        await using var server = await StartAsync();
        await using var agent = await ConnectAsync(server, version: version);

        Assert.Equal(version ?? "2026-07-28", agent.NegotiatedProtocolVersion);
        Assert.Equal("flywheel", agent.ServerInfo!.Name);
        Assert.Equal(0, (await ReadAsync(agent, "search_traces", new { })).GetProperty("spans").GetArrayLength());
    }

    [Fact]
    public async Task Too_much_too_often_and_from_a_foreign_page_is_refused_with_what_to_do()
    {
        await using var server = await StartAsync(("Mcp:CallsPerMinute", "3"));
        await using var agent = await ConnectAsync(server);

        for (var i = 0; i < 3; i++)
            await ReadAsync(agent, "list_metrics", new { });
        Assert.StartsWith("rate_limited: This key has made 3 calls within a minute: wait", await ErrorAsync(agent, "list_metrics", new { }),
            StringComparison.Ordinal);

        async Task<HttpStatusCode> PostAsync(string body, string? origin)
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Post, "/mcp") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
            request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
            request.Headers.ExpectContinue = body.Length > 1_000_000;
            if (origin is not null)
                request.Headers.TryAddWithoutValidation("Origin", origin);
            return (await server.Http.SendAsync(request, Ct)).StatusCode;
        }

        const string ping = """{"jsonrpc":"2.0","id":1,"method":"ping"}""";
        Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(ping, "http://evil.example:5151"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ping, "http://localhost:3000"));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(ping, null));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge,
            await PostAsync(ping.Replace("}", ",\"params\":{\"x\":\"" + new string('a', 5_000_000) + "\"}}", StringComparison.Ordinal),
                null));
    }
}
