using System.Text.Json;
using Flywheel.Storage.Tests;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>The loop over HTTP, the same on both databases.</summary>
public abstract class LoopTests(ITestDatabases databases)
{
    async Task<RunningServer> StartAsync() => await RunningServer.StartAsync(("Db", await databases.NewAsync()));

    [Fact]
    public async Task A_fix_reaches_the_next_prompt_once_approved_and_leaves_it_when_recalled()
    {
        await using var server = await StartAsync();
        await server.AddSpansAsync(Span("t1", "s1", input: "I was charged twice", output: "general"));

        var (_, correction) = await server.PostAsync("/api/v1/corrections",
            new { trace_id = "t1", span_id = "s1", went_wrong = "money is billing", corrected_output = "billing", author = "ana" });
        var id = correction.GetProperty("demonstration_id").GetString();
        var pending = await SearchAsync(server, "charged twice again");
        await server.PostAsync($"/api/v1/demonstrations/{id}/approve", "{}");
        var approved = await SearchAsync(server, "charged twice again");
        await server.PostAsync($"/api/v1/demonstrations/{id}/recall", "{}");
        var recalled = await SearchAsync(server, "charged twice again");

        Assert.Empty(pending);
        var shown = Assert.Single(approved);
        Assert.Equal(id, shown.GetProperty("id").GetString());
        Assert.Equal("billing", shown.GetProperty("output").GetString());
        Assert.True(shown.GetProperty("fixed").GetBoolean());
        Assert.True(shown.GetProperty("parts").GetProperty("similarity").GetDouble() > 0.3);
        Assert.Empty(recalled);
    }

    [Fact]
    public async Task Every_span_and_active_metric_ends_in_one_outcome_with_its_reason()
    {
        await using var server = await StartAsync();
        await CreateAsync(server,
            """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":5,"unit":"characters"}}""");
        await CreateAsync(server,
            """{"name":"writers","criterion":"Plain words?","kinds":["writer"],"validator":{"kind":"absent","words":["delve"]}}""");
        await CreateAsync(server, """{"name":"never","criterion":"?","sampling":0,"validator":{"kind":"length","max":5}}""");
        await server.AddSpansAsync(Span("t", "s", output: "much too long"));

        var trace = await server.EventuallyAsync(
            "/api/v1/traces/t", body => body.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 3);
        var verdicts = trace.GetProperty("spans")[0].GetProperty("verdicts").EnumerateArray()
            .ToDictionary(v => v.GetProperty("metric").GetString()!);

        Assert.Equal("fail", verdicts["short"].GetProperty("outcome").GetString());
        Assert.Equal(13, verdicts["short"].GetProperty("score").GetDouble());
        Assert.Equal("skipped", verdicts["writers"].GetProperty("outcome").GetString());
        Assert.Contains("classifier", verdicts["writers"].GetProperty("reason").GetString(), StringComparison.Ordinal);
        Assert.Equal("skipped", verdicts["never"].GetProperty("outcome").GetString());
        Assert.Contains("sampled", verdicts["never"].GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failed_metric_puts_the_span_into_the_queue_until_a_person_answers()
    {
        await using var server = await StartAsync();
        await CreateAsync(server,
            """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":5,"unit":"characters"}}""");
        await server.AddSpansAsync(Span("t", "s", output: "much too long"));

        var queue = await server.EventuallyAsync("/api/v1/review?metric=short", body => body.GetProperty("items").GetArrayLength() == 1);
        await server.PostAsync("/api/v1/labels", new { trace_id = "t", span_id = "s", metric = "short", passed = false, author = "ana" });
        var (_, after) = await server.GetAsync("/api/v1/review?metric=short&reason=low-score");

        Assert.Equal("low-score", queue.GetProperty("items")[0].GetProperty("reason").GetString());
        Assert.Equal(0, after.GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task A_summary_carries_intervals_counts_and_the_validators_version()
    {
        await using var server = await StartAsync();
        await CreateAsync(server,
            """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":5,"unit":"characters"}}""");
        await server.AddSpansAsync([.. Enumerable.Range(0, 10).Select(i => Span("t" + i, "s", output: i < 4 ? "short" : "much too long"))]);
        await server.EventuallyAsync("/api/v1/metrics/short/summary", body => Verdicts(body) == 10);
        await server.PostAsync("/api/v1/labels", new { trace_id = "t0", span_id = "s", metric = "short", passed = true });
        await server.PostAsync("/api/v1/labels", new { trace_id = "t9", span_id = "s", metric = "short", passed = true });

        var (_, summary) = await server.GetAsync("/api/v1/metrics/short/summary");
        var version = summary.GetProperty("versions")[0];

        Assert.Equal(0.4, version.GetProperty("validator_pass_rate").GetProperty("value").GetDouble());
        Assert.True(version.GetProperty("validator_pass_rate").GetProperty("low").GetDouble() < 0.4);
        Assert.Equal(2, version.GetProperty("blind_labels").GetInt32());
        Assert.Equal(0.5, version.GetProperty("agreement").GetProperty("value").GetDouble());
        Assert.NotEmpty(version.GetProperty("validator_version").GetString()!);
        Assert.Contains("Not enough labels", version.GetProperty("note").GetString(), StringComparison.Ordinal);

        static long Verdicts(JsonElement body) => body.GetProperty("versions").GetArrayLength() == 0 ? 0
            : body.GetProperty("versions")[0].GetProperty("verdicts").EnumerateObject().Sum(outcome => outcome.Value.GetInt64());
    }

    [Fact]
    public async Task A_summary_estimates_true_rates_also_by_node_and_day()
    {
        await using var server = await StartAsync();
        await CreateAsync(server,
            """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":5,"unit":"characters"}}""");
        var day = DateTime.UtcNow.Date.AddDays(-3).AddHours(5);
        await server.AddSpansAsync([.. Enumerable.Range(0, 60).Select(i => Span(
            "t" + i, "s", node: i < 40 ? "first" : "second", output: i % 4 == 0 ? "much too long" : "short",
            startedAt: day.AddDays(i % 2).ToString("O")))]);
        await server.EventuallyAsync("/api/v1/metrics/short/summary", body => body.GetProperty("versions").GetArrayLength() == 1
            && body.GetProperty("versions")[0].GetProperty("rates").GetProperty("N").GetInt64() == 60);
        // People find every other one of the long ones fine.
        for (var i = 0; i < 24; i++)
            await server.PostAsync(
                "/api/v1/labels", new { trace_id = "t" + i, span_id = "s", metric = "short", passed = i % 4 != 0 || i % 8 == 0 });

        var (_, summary) = await server.GetAsync("/api/v1/metrics/short/summary?by=node,time&bucket=day");
        var (_, second) = await server.GetAsync($"/api/v1/metrics/short/summary?node=second&from={day.AddDays(1):yyyy-MM-dd}T00:00:00Z");
        var (refused, problem) = await server.GetAsync("/api/v1/metrics/short/summary?by=moon");

        var version = summary.GetProperty("versions")[0];
        var rates = version.GetProperty("rates");
        Assert.Equal((24, 60), (rates.GetProperty("n").GetInt32(), rates.GetProperty("N").GetInt32()));
        Assert.Equal(0.75, rates.GetProperty("judge_only").GetProperty("median").GetDouble());
        Assert.True(rates.GetProperty("pass_rate").GetProperty("median").GetDouble() > 0.8, $"{rates}");
        Assert.True(rates.GetProperty("tpr").GetProperty("low").GetDouble() < rates.GetProperty("tpr").GetProperty("high").GetDouble());
        Assert.Equal(JsonValueKind.Null, version.GetProperty("note").ValueKind);
        Assert.Equal(4, version.GetProperty("slices").GetArrayLength());
        Assert.Equal(60, version.GetProperty("slices").EnumerateArray()
            .Sum(slice => slice.GetProperty("rates").GetProperty("N").GetInt32()));
        var alone = second.GetProperty("versions")[0];
        Assert.Equal(10, alone.GetProperty("rates").GetProperty("N").GetInt32());
        Assert.Contains("Not enough labels", alone.GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Equal((400, "invalid_by"), (refused, problem.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task A_repeat_with_the_same_idempotency_key_has_no_second_effect()
    {
        await using var server = await StartAsync();
        await server.AddSpansAsync(Span("t", "s"));
        var body = """{"trace_id":"t","span_id":"s","corrected_output":"billing"}""";

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 10).Select(_ => server.PostAsync("/api/v1/corrections", body, ("Idempotency-Key", "k1"))));
        var (conflict, _) = await server.PostAsync(
            "/api/v1/corrections", """{"trace_id":"t","span_id":"s","corrected_output":"other"}""", ("Idempotency-Key", "k1"));
        var (_, trace) = await server.GetAsync("/api/v1/traces/t");

        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Single(trace.GetProperty("spans")[0].GetProperty("corrections").EnumerateArray());
        Assert.Equal(409, conflict);
    }

    [Fact]
    public async Task A_repeated_span_is_acknowledged_and_another_one_under_its_ids_refused()
    {
        await using var server = await StartAsync();
        var at = DateTime.UtcNow.ToString("O");

        var (first, _) = await server.AddSpansAsync(Span("t", "s", startedAt: at));
        var (repeat, answer) = await server.AddSpansAsync(Span("t", "s", startedAt: at));
        var (other, problem) = await server.AddSpansAsync(Span("t", "s", output: "billing", startedAt: at));

        Assert.Equal((200, 200), (first, repeat));
        Assert.Equal(1, answer.GetProperty("accepted").GetInt32());
        Assert.Equal(400, other);
        Assert.Equal("span_conflict", problem.GetProperty("code").GetString());
    }

    [Fact]
    public async Task What_a_sender_knows_beyond_our_fields_is_kept()
    {
        await using var server = await StartAsync();

        await server.PostAsync(
            "/api/v1/spans", """{"spans":[{"trace_id":"t","span_id":"s","node":"n","region":"eu","attributes":{"a":{"b":1}}}]}""");
        var (_, trace) = await server.GetAsync("/api/v1/traces/t");
        var attributes = trace.GetProperty("spans")[0].GetProperty("attributes");

        Assert.Equal("eu", attributes.GetProperty("region").GetString());
        Assert.Equal(1, attributes.GetProperty("a").GetProperty("b").GetInt32());
    }

    [Fact]
    public async Task A_node_keeps_the_strategy_that_was_chosen_for_it()
    {
        await using var server = await StartAsync();
        using var put = new HttpRequestMessage(HttpMethod.Put, "/api/v1/nodes/intent/policy")
        {
            Content = new StringContent("""{"retrieval":{"strategy":"recent","k":3}}""", System.Text.Encoding.UTF8, "application/json"),
        };

        var (status, _) = await server.SendAsync(put);
        var (_, search) = await server.PostAsync("/api/v1/demonstrations/search", """{"node":"intent","input":"x"}""");
        var (_, policy) = await server.GetAsync("/api/v1/nodes/intent/policy");

        Assert.Equal(200, status);
        Assert.Equal("recent", search.GetProperty("strategy").GetString());
        Assert.Equal(3, policy.GetProperty("in_force").GetProperty("k").GetInt32());
    }

    [Fact]
    public async Task Judges_stop_at_the_projects_budget_and_say_so()
    {
        await using var server = await StartAsync();
        using var put = new HttpRequestMessage(HttpMethod.Put, "/api/v1/project")
        {
            Content = new StringContent(
                """{"judge_calls_per_day":1,"judge_usd_per_day":null,"audit_rate":0}""", System.Text.Encoding.UTF8, "application/json"),
        };
        Assert.Equal(200, (await server.SendAsync(put)).Status);
        await CreateAsync(server, """{"name":"kind","criterion":"Is the reply kind?","validator":{"kind":"judge"}}""");
        // Three texts: the same one is judged, and paid for, once.
        await server.AddSpansAsync(Span("t1", "s"), Span("t2", "s", output: "billing"), Span("t3", "s", output: "shipping"));

        var summary = await server.EventuallyAsync("/api/v1/metrics/kind/summary", body => body.GetProperty("versions").EnumerateArray()
            .Sum(version => version.GetProperty("verdicts").EnumerateObject().Sum(outcome => outcome.Value.GetInt64())) == 3);
        var outcomes = summary.GetProperty("versions").EnumerateArray()
            .SelectMany(version => version.GetProperty("verdicts").EnumerateObject())
            .GroupBy(outcome => outcome.Name).ToDictionary(group => group.Key, group => group.Sum(outcome => outcome.Value.GetInt64()));

        Assert.Equal(2, outcomes["skipped"]);
        Assert.Equal(1, outcomes["unsure"]); // the offline judge has no examples to go by
    }

    [Fact]
    public async Task Every_decision_is_in_the_audit_with_who_made_it()
    {
        await using var server = await StartAsync();
        await server.AddSpansAsync(Span("t", "s"));
        var (_, correction) = await server.PostAsync(
            "/api/v1/corrections", new { trace_id = "t", span_id = "s", corrected_output = "billing" });
        await server.PostAsync(
            "/api/v1/demonstrations/approve",
            new { ids = new[] { correction.GetProperty("demonstration_id").GetString() }, author = "ana" });

        var (_, audit) = await server.GetAsync("/api/v1/audit");

        Assert.Equal(JsonValueKind.Null, audit.GetProperty("first_broken").ValueKind);
        Assert.Contains(audit.GetProperty("entries").EnumerateArray(), entry =>
            entry.GetProperty("actor").GetString() == "ana"
                && entry.GetProperty("subject").GetString() == correction.GetProperty("demonstration_id").GetString());
    }

    [Fact]
    public async Task The_api_describes_itself()
    {
        await using var server = await StartAsync();

        var (status, document) = await server.GetAsync("/openapi/v1.json");

        Assert.Equal(200, status);
        foreach (var path in new[] { "/api/v1/spans", "/api/v1/traces/{traceId}", "/api/v1/metrics", "/api/v1/labels",
            "/api/v1/corrections", "/api/v1/feedback", "/api/v1/review", "/api/v1/demonstrations/search", "/api/v1/jobs" })
            Assert.True(document.GetProperty("paths").EnumerateObject().Any(p => p.Name.TrimEnd('/') == path), path);
    }

    static async Task CreateAsync(RunningServer server, string metric) =>
        Assert.Equal(201, (await server.PostAsync("/api/v1/metrics", metric)).Status);

    static async Task<JsonElement[]> SearchAsync(RunningServer server, string input) =>
        [.. (await server.PostAsync("/api/v1/demonstrations/search", new { node = "intent", input })).Body.GetProperty("demonstrations")
            .EnumerateArray()];
}

public sealed class LoopOnSqlite(SqliteFiles files) : LoopTests(files);

public sealed class LoopOnPostgres(PostgresCluster cluster) : LoopTests(cluster);
