using System.Text.Json;
using Flywheel.Core.Labeling;
using Flywheel.Core.Projects;
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
            _ => ModelReply.Says(
                JsonSerializer.Serialize(new { rules = new[] { new { text = knowsRule ? Rule : "Be fair.", cases = new[] { 1 } } } })))
        .Otherwise(request =>
        {
            var vague = request.Messages[^1].Text.Contains("a lot", StringComparison.Ordinal);
            var known = request.Messages[0].Text.Contains(Rule, StringComparison.Ordinal)
                || request.Messages[^1].Text.Contains("9 a lot", StringComparison.Ordinal);
            return ModelReply.Says(vague && known ? Fails : Passes);
        });

    static async Task<RunningServer> LabelledAsync(ModelTestServer provider, int labels, int? callsPerDay = null)
    {
        var server = await RunningServer.StartAsync(
        [
            ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"),
            ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()),
        ]);
        await PutAsync(server, "/api/v1/project",
            new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = 0, canary_rate = 0 });
        var (status, _) = await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", sampling = 0, validator = new { kind = "judge" } });
        Assert.Equal(201, status);
        await server.AddSpansAsync([.. Enumerable.Range(0, labels).Select(i =>
            Span($"t{i}", "s", node: "answer", kind: "writer", input: $"What is {Word(i)}?",
                output: i % 3 == 0 ? $"{Word(i)} costs {i % 10} a lot." : $"{Word(i)} costs {i} euros."))]);
        await server.EventuallyAsync(
            "/api/v1/metrics/sum/summary", body => body.GetRawText().Contains($"\"skipped\":{labels}", StringComparison.Ordinal));
        var metric = (await server.Store.Metrics.FindAsync(ProjectId.Default, "sum", Ct))!;
        await Task.WhenAll(Enumerable.Range(0, labels).Select(async i =>
        {
            var span = (await server.Store.Spans.FindAsync(ProjectId.Default, new($"t{i}", "s"), Ct))!;
            await server.Store.Labels.AddAsync(
                new(Guid.CreateVersion7(), ProjectId.Default, span.Id, metric.Id, i % 3 != 0, LabelMode.Blind, "It must say how much.",
                    "ann", null,
                    DateTimeOffset.UtcNow.AddMinutes(i - labels)), Ct);
        }));
        if (callsPerDay is { } calls)
            await PutAsync(server, "/api/v1/metrics/sum/budget", new { calls_per_day = calls, usd_per_day = (double?)null });
        return server;
    }

    /// <summary>Words that are not near each other.</summary>
    static string Word(int i) => string.Concat(
        System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes($"word {i}")).Take(12)
            .Select(value => (char)('a' + value % 26)));

    static async Task<(int Status, JsonElement Body)> PutAsync(RunningServer server, string path, object body)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Put, path) { Content = new StringContent(
                JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json") };
        return await server.SendAsync(request);
    }

    static async Task<JsonElement> EndedAsync(RunningServer server) => (await server.EventuallyAsync(
        "/api/v1/metrics/sum/align", body => body.GetProperty("runs")[0].GetProperty("state").GetString() != "running"))
            .GetProperty("runs")[0];

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
        Assert.Equal(["present", "guidelines"],
            dry.GetProperty("outlook").GetProperty("candidates").EnumerateArray().Select(each => each.GetString()!));
        Assert.Equal(2 * 60 + 2 * 60 + 6, dry.GetProperty("outlook").GetProperty("calls").GetInt32());
        Assert.Equal((202, 246), (status, begun.GetProperty("run").GetProperty("total").GetInt32()));
        Assert.Equal(("done", 246, "ann"),
            (run.GetProperty("state").GetString(), run.GetProperty("done").GetInt32(), run.GetProperty("author").GetString()));
        var evidence = proposal.GetProperty("evidence");
        Assert.Equal("guidelines", evidence.GetProperty("chosen").GetString());
        Assert.Equal((60, 60), (evidence.GetProperty("fit").GetInt32(), evidence.GetProperty("tested").GetInt32()));
        Assert.Equal(0, evidence.GetProperty("test").GetProperty("old_only").GetDouble());
        Assert.True(evidence.GetProperty("test").GetProperty("new_only").GetDouble() > 10);
        var guideline = Assert.Single(proposal.GetProperty("change").GetProperty("guidelines").EnumerateArray());
        Assert.Equal(Rule, guideline.GetProperty("text").GetString());
        Assert.NotEmpty(guideline.GetProperty("labels").EnumerateArray());
        Assert.Equal((200, "approved", "bob"),
            (approved, after.GetProperty("state").GetString(), after.GetProperty("decided_by").GetString()));
        Assert.Equal((409, "already_decided"), (again, why.GetProperty("code").GetString()));
        var (_, guidelines) = await server.GetAsync("/api/v1/metrics/sum/guidelines?state=approved");
        Assert.Equal(Rule, Assert.Single(guidelines.GetProperty("guidelines").EnumerateArray()).GetProperty("text").GetString());
        // No held-out text was asked about with anything but the rules: none of its labels can have taught.
        Assert.All(provider.Requests.Where(request => request.Messages[0].Text.StartsWith("A judge decides", StringComparison.Ordinal)),
            request => Assert.All(
                Enumerable.Range(60, 60), i =>
                    Assert.DoesNotContain(Word(i) + " costs", request.Messages[^1].Text, StringComparison.Ordinal)));
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
        await server.PostAsync(
            "/api/v1/metrics/sum/versions",
            new { name = "sum", criterion = "Does it name an exact sum?", sampling = 0, validator = new { kind = "judge" } });
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
            "/api/v1/metrics/sum/align", body => body.GetProperty("runs")[0].GetProperty("waits_until").ValueKind == JsonValueKind.String))
                .GetProperty("runs")[0];
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
        await server.PostAsync(
            "/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 40 } });

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
        Assert.Equal((400, "invalid_state"),
            ((await server.GetAsync("/api/v1/proposals?state=open")) is var (s, b) ? (s, b.GetProperty("code").GetString()) : default));
    }

    [Fact]
    public async Task A_model_that_changes_behind_its_name_is_noticed_on_frozen_texts_and_its_guarantee_withdrawn()
    {
        var stricter = false;
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(request =>
            ModelReply.Says(request.Messages[^1].Text.Contains("a lot", StringComparison.Ordinal) || stricter
                && request.Messages[^1].Text.Contains("euros", StringComparison.Ordinal)
                && request.Messages[^1].Text.Contains('1') ? Fails : Passes));
        await using var server = await LabelledAsync(provider, 90);

        async Task<JsonElement> ReplayedAsync(int replays) => await server.EventuallyAsync(
            "/api/v1/metrics/sum/anchors", body =>
                body.GetProperty("replays").GetArrayLength() == replays
                    && body.GetProperty("replays")[0].GetProperty("state").GetString() == "done");

        var none = await server.GetAsync("/api/v1/metrics/sum/anchors");
        var (tooMany, size) = await server.PostAsync("/api/v1/metrics/sum/anchors", new { size = 101 });
        var (status, frozen) = await server.PostAsync("/api/v1/metrics/sum/anchors", new { size = 60, author = "ann" });
        await ReplayedAsync(1);
        await server.PostAsync("/api/v1/metrics/sum/anchors/replay", new { });
        var same = await ReplayedAsync(2);
        stricter = true;
        await server.PostAsync("/api/v1/metrics/sum/anchors/replay", new { });
        var changed = (await ReplayedAsync(3)).GetProperty("replays")[0];
        var alignment = (await server.GetAsync("/api/v1/metrics/sum/alignment")).Body;
        var alarm = Assert.Single((await server.GetAsync("/api/v1/alarms")).Body.GetProperty("alarms").EnumerateArray());
        await server.PostAsync($"/api/v1/alarms/{alarm.GetProperty("id").GetInt64()}/close", new { author = "ann" });
        await server.PostAsync("/api/v1/metrics/sum/anchors/replay", new { });
        var usual = (await ReplayedAsync(4)).GetProperty("replays")[0];

        Assert.Equal((404, "unknown_anchors"), (none.Status, none.Body.GetProperty("code").GetString()));
        Assert.Equal((400, "invalid_size"), (tooMany, size.GetProperty("code").GetString()));
        Assert.Equal((202, 30, 30, "ann"),
            (status, frozen.GetProperty("passes").GetInt32(), frozen.GetProperty("fails").GetInt32(),
                frozen.GetProperty("author").GetString()));
        Assert.Equal(0, same.GetProperty("replays")[0].GetProperty("comparison").GetProperty("pass_to_other").GetInt32());
        Assert.Equal(JsonValueKind.Null, same.GetProperty("replays")[1].GetProperty("compared_with").ValueKind);
        Assert.False(same.GetProperty("replays")[0].GetProperty("alarmed").GetBoolean());
        // Texts with a 1 in the number of euros.
        Assert.True(changed.GetProperty("alarmed").GetBoolean()
            && changed.GetProperty("comparison").GetProperty("pass_to_other").GetInt32() >= 9, changed.ToString());
        Assert.Equal("anchors", alarm.GetProperty("kind").GetString());
        Assert.Contains("frozen texts", alignment.GetProperty("guarantee").GetProperty("withdrawn").GetString(), StringComparison.Ordinal);
        Assert.Equal((changed.GetProperty("id").GetInt64(), false),
            (usual.GetProperty("compared_with").GetInt64(), usual.GetProperty("alarmed").GetBoolean()));
        // Nothing that was said before is taken for an answer.
        Assert.Equal(4 * 60, provider.Requests.Count);
        using var delete = new HttpRequestMessage(HttpMethod.Delete, "/api/v1/metrics/sum/anchors");
        Assert.Equal(204, (await server.SendAsync(delete)).Status);
    }

    [Fact]
    public async Task Alignment_is_cut_by_time_node_and_segment_and_pooled_over_judge_versions()
    {
        await using var server = await RunningServer.StartAsync(("Work", "false"));
        var (store, ids) = (server.Store, ProjectId.Default);
        await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", state = "proposed",
                validator = new { kind = "judge" } });
        var metric = (await store.Metrics.FindAsync(ids, "sum", Ct))!;
        var start = new DateTimeOffset(2026, 3, 10, 8, 0, 0, TimeSpan.Zero);
        await store.AddSpansAsync(ids, [.. Enumerable.Range(0, 40).Select(i => new Core.Traces.NewSpan
        {
            Key = new($"t{i}", "s"), Node = i % 4 == 0 ? "b" : "a", Output = $"text {i}", StartedAt = start.AddDays(i / 20),
            EndUser = $"u{i}",
            Attributes = i % 2 == 0 ? """{"tenant": "acme"}""" : """{"tenant": "beta"}""",
        })], start, Ct);
        var spans = (await store.Spans.NewestAsync(ids, null, 40, Ct))
            .ToDictionary(span => int.Parse(span.Key.Trace[1..], System.Globalization.CultureInfo.InvariantCulture));
        await store.Jobs.EnqueueAsync(ids, metric.VersionId, Core.Jobs.JobLane.Judge, [.. spans.Values.Select(span => span.Id)], start, Ct);
        var jobs = (await store.Jobs.ClaimAsync(Core.Jobs.JobLane.Judge, 100, TimeSpan.FromMinutes(1), "w", start, Ct))
            .ToDictionary(job => job.Span);
        // Every judge version judged four texts; the judge errs on every fifth.
        bool Passed(int i) => i % 3 != 0;
        await store.Jobs.EndAsync([.. spans.Select(each => new Core.Jobs.JobEnd.Done(jobs[each.Value.Id], new(
            ids, each.Value.Id, metric.Id, metric.VersionId, $"v{each.Key / 4}",
            new(Passed(each.Key) == (each.Key % 5 != 0) ? Core.Metrics.Outcome.Pass : Core.Metrics.Outcome.Fail, null, null), 1, start)))],
                start, Ct);
        Label Of(int i, bool passed, string author, double seconds) =>
            new(Guid.CreateVersion7(), ids, spans[i].Id, metric.Id, passed, LabelMode.Blind, null, author, null, start.AddSeconds(seconds));
        await Task.WhenAll(spans.Keys.Select(i => store.Labels.AddAsync(Of(i, Passed(i), "ann", 0), Ct)));
        await Task.WhenAll(spans.Keys.Where(i => i % 2 == 0)
            .Select(i => store.Labels.AddAsync(Of(i, Passed(i) == (i % 8 != 0), "bob", -1), Ct)));

        var whole = (await server.GetAsync("/api/v1/metrics/sum/alignment")).Body;
        var days = (await server.GetAsync("/api/v1/metrics/sum/alignment?by=time&bucket=day")).Body.GetProperty("pooled").EnumerateArray()
            .ToArray();
        var nodes = (await server.GetAsync("/api/v1/metrics/sum/alignment?by=node")).Body.GetProperty("pooled").EnumerateArray().ToArray();
        var segments = (await server.GetAsync("/api/v1/metrics/sum/alignment?by=segment")).Body.GetProperty("pooled").EnumerateArray()
            .ToArray();
        var wrong = await server.GetAsync("/api/v1/metrics/sum/alignment?by=user");
        var odd = await server.GetAsync("/api/v1/metrics/sum/alignment?by=node&bucket=day");

        Assert.Equal(10, whole.GetProperty("versions").GetArrayLength());
        var pooled = Assert.Single(whole.GetProperty("pooled").EnumerateArray());
        Assert.Equal((40, 10, JsonValueKind.Null),
            (pooled.GetProperty("labels").GetInt32(), pooled.GetProperty("judge_versions").GetInt32(),
                pooled.GetProperty("validator_version").ValueKind));
        Assert.Equal(8, pooled.GetProperty("counts").GetProperty("pass_fail").GetInt32() + pooled.GetProperty("counts")
            .GetProperty("fail_pass").GetInt32());
        Assert.Equal([null, start.Date.ToString("yyyy-MM-dd"), start.AddDays(1).Date.ToString("yyyy-MM-dd")],
            days.Select(day => day.GetProperty("from").ValueKind == JsonValueKind.Null ? null : day.GetProperty("from").GetDateTimeOffset()
                .ToString("yyyy-MM-dd")));
        Assert.Equal([40, 20, 20], days.Select(day => day.GetProperty("labels").GetInt32()));
        Assert.Equal([40, 30, 10], nodes.Select(node => node.GetProperty("labels").GetInt32()));
        Assert.Equal([null, "tenant:acme", "tenant:beta"], segments.Select(segment => segment.GetProperty("segment").GetString()));
        Assert.Equal([40, 20, 20], segments.Select(segment => segment.GetProperty("labels").GetInt32()));
        Assert.Equal((400, 400), (wrong.Status, odd.Status));
        var humans = whole.GetProperty("humans");
        Assert.Equal(20, humans.GetProperty("items").GetInt32());
        Assert.True(humans.GetProperty("alpha_low").GetDouble() < humans.GetProperty("alpha").GetDouble()
            && humans.GetProperty("alpha").GetDouble() < humans.GetProperty("alpha_high").GetDouble());
    }
}
