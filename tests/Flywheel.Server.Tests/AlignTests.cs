using System.Text.Json;
using Flywheel.TestServer;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>A judge that passes vague prices, people who do not, and a model that can say the rule.</summary>
public sealed class AlignTests
{
    const string Rule = "A vague price is no sum.";
    const string Fails = """{"critique":"It names no sum.","verdict":"fail","confidence":0.9}""";
    const string Passes = """{"critique":"It names the sum.","verdict":"pass","confidence":0.9}""";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Passes all but a third of the vague prices, and all of them once it has the rule.</summary>
    static Task<ModelTestServer> ProviderAsync(bool knowsRule = true) => StartProviderAsync(knowsRule);

    static async Task<ModelTestServer> StartProviderAsync(bool knowsRule) => (await ModelTestServer.StartAsync())
        .When(request => request.Messages[0].Text.StartsWith("A judge decides", StringComparison.Ordinal),
            _ => ModelReply.Says(JsonSerializer.Serialize(new { rules = new[] { new { text = knowsRule ? Rule : "Be fair.", cases = new[] { 1 } } } })))
        .Otherwise(request =>
        {
            var vague = request.Messages[^1].Text.Contains("a lot", StringComparison.Ordinal);
            var known = request.Messages[0].Text.Contains(Rule, StringComparison.Ordinal) || request.Messages[^1].Text.Contains("9 a lot", StringComparison.Ordinal);
            return ModelReply.Says(vague && known ? Fails : Passes);
        });

    static async Task<RunningServer> LabelledAsync(ModelTestServer provider, int labels, int? callsPerDay = null)
    {
        var server = await RunningServer.StartAsync(
        [
            ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"), ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()),
        ]);
        await PutAsync(server, "/api/v1/project", new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = 0, canary_rate = 0 });
        var (status, _) = await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", sampling = 0, validator = new { kind = "judge" } });
        Assert.Equal(201, status);
        await server.AddSpansAsync([.. Enumerable.Range(0, labels).Select(i =>
            Span($"t{i}", "s", node: "answer", kind: "writer", input: $"What is {Word(i)}?", output: i % 3 == 0 ? $"{Word(i)} costs {i % 10} a lot." : $"{Word(i)} costs {i} euros."))]);
        await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => body.GetRawText().Contains($"\"skipped\":{labels}", StringComparison.Ordinal));
        foreach (var i in Enumerable.Range(0, labels))
            await server.PostAsync("/api/v1/labels", new { trace_id = $"t{i}", span_id = "s", metric = "sum", passed = i % 3 != 0, mode = "blind", critique = "It must say how much." });
        if (callsPerDay is { } calls)
            await PutAsync(server, "/api/v1/metrics/sum/budget", new { calls_per_day = calls, usd_per_day = (double?)null });
        return server;
    }

    /// <summary>Words that are not near each other.</summary>
    static string Word(int i) => string.Concat(Enumerable.Range(0, 6).Select(k => (char)('a' + (i * 31 + k * k * 17 + i * k * 7) % 26)));

    static async Task<(int Status, JsonElement Body)> PutAsync(RunningServer server, string path, object body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, path) { Content = new StringContent(JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json") };
        return await server.SendAsync(request);
    }

    static async Task<JsonElement> EndedAsync(RunningServer server) => (await server.EventuallyAsync(
        "/api/v1/metrics/sum/align", body => body.GetProperty("runs")[0].GetProperty("state").GetString() != "running")).GetProperty("runs")[0];

    [Fact]
    public async Task A_rule_that_later_labels_bear_out_is_proposed_and_once_approved_stands_in_the_prompts()
    {
        await using var provider = await ProviderAsync();
        await using var server = await LabelledAsync(provider, 120);

        var (dryStatus, dry) = await server.PostAsync("/api/v1/metrics/sum/align", new { dry_run = true });
        var asked = provider.Requests.Count;
        var (status, begun) = await server.PostAsync("/api/v1/metrics/sum/align", new { author = "ann" });
        var run = await EndedAsync(server);
        var id = run.GetProperty("proposal").GetInt64();
        var (_, proposal) = await server.GetAsync($"/api/v1/proposals/{id}");
        var (approved, after) = await server.PostAsync($"/api/v1/proposals/{id}/approve", new { author = "bob", reason = "clear" });
        var (again, why) = await server.PostAsync($"/api/v1/proposals/{id}/reject", new { });

        Assert.Equal((200, 0), (dryStatus, asked));
        Assert.Equal(["present", "guidelines"], dry.GetProperty("outlook").GetProperty("candidates").EnumerateArray().Select(each => each.GetString()!));
        Assert.Equal(2 * 60 + 2 * 60 + 6, dry.GetProperty("outlook").GetProperty("calls").GetInt32());
        Assert.Equal((202, 246), (status, begun.GetProperty("run").GetProperty("total").GetInt32()));
        Assert.Equal(("done", 246, "ann"), (run.GetProperty("state").GetString(), run.GetProperty("done").GetInt32(), run.GetProperty("author").GetString()));
        var evidence = proposal.GetProperty("evidence");
        Assert.Equal("guidelines", evidence.GetProperty("chosen").GetString());
        Assert.Equal((60, 60), (evidence.GetProperty("fit").GetInt32(), evidence.GetProperty("tested").GetInt32()));
        Assert.Equal(0, evidence.GetProperty("test").GetProperty("old_only").GetDouble());
        Assert.True(evidence.GetProperty("test").GetProperty("new_only").GetDouble() > 10);
        var guideline = Assert.Single(proposal.GetProperty("change").GetProperty("guidelines").EnumerateArray());
        Assert.Equal(Rule, guideline.GetProperty("text").GetString());
        Assert.NotEmpty(guideline.GetProperty("labels").EnumerateArray());
        Assert.Equal((200, "approved", "bob"), (approved, after.GetProperty("state").GetString(), after.GetProperty("decided_by").GetString()));
        Assert.Equal((409, "already_decided"), (again, why.GetProperty("code").GetString()));
        var (_, guidelines) = await server.GetAsync("/api/v1/metrics/sum/guidelines?state=approved");
        Assert.Equal(Rule, Assert.Single(guidelines.GetProperty("guidelines").EnumerateArray()).GetProperty("text").GetString());
        // No held-out text was asked about with anything but the rules: none of its labels can have taught.
        Assert.All(provider.Requests.Where(request => request.Messages[0].Text.StartsWith("A judge decides", StringComparison.Ordinal)),
            request => Assert.All(Enumerable.Range(60, 60), i => Assert.DoesNotContain(Word(i) + " costs", request.Messages[^1].Text, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_rule_that_changes_nothing_is_not_proposed_and_a_metric_that_changed_refuses_what_was()
    {
        await using var useless = await ProviderAsync(knowsRule: false);
        await using var first = await LabelledAsync(useless, 80);
        await first.PostAsync("/api/v1/metrics/sum/align", new { });
        var run = await EndedAsync(first);
        Assert.Equal(("done", JsonValueKind.Null), (run.GetProperty("state").GetString(), run.GetProperty("proposal").ValueKind));
        Assert.Contains("no candidate is ahead", run.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Empty((await first.GetAsync("/api/v1/proposals")).Body.GetProperty("proposals").EnumerateArray());

        await using var provider = await ProviderAsync();
        await using var server = await LabelledAsync(provider, 90);
        await server.PostAsync("/api/v1/metrics/sum/align", new { });
        var id = (await EndedAsync(server)).GetProperty("proposal").GetInt64();
        await PutAsync(server, "/api/v1/metrics/sum", new { name = "sum", criterion = "Does it name an exact sum?", sampling = 0, validator = new { kind = "judge" } });
        var (status, body) = await server.PostAsync($"/api/v1/proposals/{id}/approve", new { });
        Assert.Equal((409, "stale_proposal"), (status, body.GetProperty("code").GetString()));
        Assert.Equal(200, (await server.PostAsync($"/api/v1/proposals/{id}/reject", new { })).Status);
        Assert.Equal(404, (await server.PostAsync("/api/v1/proposals/99/reject", new { })).Status);
    }

    [Fact]
    public async Task A_search_waits_for_its_budget_and_goes_on_without_asking_anything_twice()
    {
        await using var provider = await ProviderAsync();
        await using var server = await LabelledAsync(provider, 120, callsPerDay: 100);

        await server.PostAsync("/api/v1/metrics/sum/align", new { });
        var waiting = (await server.EventuallyAsync(
            "/api/v1/metrics/sum/align", body => body.GetProperty("runs")[0].GetProperty("waits_until").ValueKind == JsonValueKind.String)).GetProperty("runs")[0];
        var asked = provider.Requests.Count;
        await PutAsync(server, "/api/v1/metrics/sum/budget", new { calls_per_day = (int?)null, usd_per_day = (double?)null });
        var (status, again) = await server.PostAsync("/api/v1/metrics/sum/align", new { });
        var ended = await EndedAsync(server);

        Assert.Contains("100 judge calls per day of sum are used up", waiting.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("running", waiting.GetProperty("state").GetString());
        Assert.Equal(100, asked);
        Assert.Equal((202, waiting.GetProperty("id").GetInt64()), (status, again.GetProperty("run").GetProperty("id").GetInt64()));
        Assert.Equal("done", ended.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Number, ended.GetProperty("proposal").ValueKind);
        Assert.Equal(246, provider.Requests.Count);
    }

    [Fact]
    public async Task Too_few_labels_and_wrong_requests_are_answered_in_words()
    {
        await using var provider = await ProviderAsync();
        await using var server = await LabelledAsync(provider, 12);
        await server.PostAsync("/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 40 } });

        var (status, body) = await server.PostAsync("/api/v1/metrics/sum/align", new { });
        var (code, other) = await server.PostAsync("/api/v1/metrics/short/align", new { });
        var (range, few) = await server.PostAsync("/api/v1/metrics/sum/align", new { labels = 5 });
        var (attribute, missing) = await server.PostAsync("/api/v1/metrics/sum/align", new { reference = "gold" });
        var (model, unknown) = await server.PostAsync("/api/v1/metrics/sum/align", new { model = "nobody" });

        Assert.Equal((200, JsonValueKind.Null), (status, body.GetProperty("run").ValueKind));
        Assert.Matches("not enough labels: about [1-9][0-9]* more", body.GetProperty("note").GetString());
        Assert.Equal((409, "not_a_judge"), (code, other.GetProperty("code").GetString()));
        Assert.Equal((400, "invalid_labels"), (range, few.GetProperty("code").GetString()));
        Assert.Equal((400, "invalid_reference"), (attribute, missing.GetProperty("code").GetString()));
        Assert.Equal((400, "invalid_model"), (model, unknown.GetProperty("code").GetString()));
        Assert.Empty((await server.GetAsync("/api/v1/metrics/sum/align")).Body.GetProperty("runs").EnumerateArray());
        Assert.Equal((400, "invalid_state"), ((await server.GetAsync("/api/v1/proposals?state=open")) is var (s, b) ? (s, b.GetProperty("code").GetString()) : default));
    }
}
