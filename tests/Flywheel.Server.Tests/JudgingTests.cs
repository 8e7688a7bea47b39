using System.Text.Json;
using Flywheel.Engine.Judging;
using Flywheel.TestServer;
using Microsoft.Extensions.DependencyInjection;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>Judges over HTTP: the real server, a scripted provider.</summary>
public sealed class JudgingTests
{
    const string Fails = """{"critique":"It names no sum.","verdict":"fail","confidence":0.9}""";
    const string Passes = """{"critique":"It names the sum.","verdict":"pass","confidence":0.9}""";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static Task<RunningServer> StartAsync(ModelTestServer provider, params (string, string)[] settings) => RunningServer.StartAsync(
    [
        ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"),
        ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()),
        .. settings,
    ]);

    static async Task<RunningServer> JudgingAsync(
        ModelTestServer provider, int spans, double canaryRate = 0, params (string, string)[] settings)
    {
        var server = await StartAsync(provider, settings);
        await PutAsync(server, "/api/v1/project",
            new { judge_calls_per_day = (int?)null, judge_usd_per_day = (double?)null, audit_rate = 0, canary_rate = canaryRate });
        var (status, _) = await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", validator = new { kind = "judge" } });
        Assert.Equal(201, status);
        await AddAsync(server, 0, spans);
        return server;
    }

    static async Task AddAsync(RunningServer server, int from, int count)
    {
        await server.AddSpansAsync(
            [.. Enumerable.Range(from, count)
                .Select(i => Span($"t{i}", "s", node: "answer", kind: "writer", output: $"It costs a lot, case {i}."))]);
        await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= from + count);
    }

    static int Verdicts(JsonElement summary) => summary.GetProperty("versions").EnumerateArray()
        .Sum(version => version.GetProperty("verdicts").EnumerateObject().Sum(outcome => outcome.Value.GetInt32()));

    static async Task<(int Status, JsonElement Body)> PutAsync(RunningServer server, string path, object body)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Put, path) { Content = new StringContent(
                JsonSerializer.Serialize(body), System.Text.Encoding.UTF8, "application/json") };
        return await server.SendAsync(request);
    }

    [Fact]
    public async Task A_quarter_of_the_items_is_served_blind_and_a_suggested_item_cannot_come_back_as_blind()
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says(Fails));
        await using var server = await JudgingAsync(provider, 200);

        var items = (await server.GetAsync("/api/v1/review?metric=sum&limit=200")).Body.GetProperty("items").EnumerateArray().ToArray();
        var again = (await server.GetAsync("/api/v1/review?metric=sum&limit=200")).Body.GetProperty("items").EnumerateArray().ToArray();

        var blind = items.Where(item => item.GetProperty("served").GetString() == "blind").ToArray();
        var suggested = items.Where(item => item.GetProperty("served").GetString() == "suggested").ToArray();
        Assert.Equal(200, blind.Length + suggested.Length);
        // Items that the planner drew meanwhile are blind, all of them.
        Assert.InRange(blind.Count(item => item.GetProperty("reason").GetString() != "random-audit"), 25, 75);
        Assert.Equal(items.Select(item => item.GetProperty("served").GetString()),
            again.Select(item => item.GetProperty("served").GetString()));
        Assert.All(blind, item => Assert.DoesNotContain("names no sum", item.GetRawText(), StringComparison.Ordinal));
        Assert.All(blind, item =>
            Assert.Equal(("blind", JsonValueKind.Null),
                (item.GetProperty("reason").GetString(), item.GetProperty("suggestion").ValueKind)));
        Assert.All(suggested, item => Assert.Equal("fail", item.GetProperty("suggestion").GetProperty("verdict").GetString()));

        async Task<(int Status, string? Mode)> LabelAsync(JsonElement item, bool passed, string? mode)
        {
            var (status, body) = await server.PostAsync(
                "/api/v1/labels", new { trace_id = item.GetProperty("trace_id").GetString(), span_id = "s", metric = "sum", passed, mode });
            return (status, status == 200 ? body.GetProperty("mode").GetString() : body.GetProperty("code").GetString());
        }

        Assert.Equal((409, "mode_conflict"), await LabelAsync(suggested[0], false, "blind"));
        Assert.Equal((409, "mode_conflict"), await LabelAsync(suggested[0], true, "accepted"));
        Assert.Equal((409, "mode_conflict"), await LabelAsync(blind[0], false, "accepted"));
        Assert.Equal((200, "accepted"), await LabelAsync(suggested[0], false, null));
        Assert.Equal((200, "edited"), await LabelAsync(suggested[1], true, null));
        Assert.Equal((200, "accepted"), await LabelAsync(suggested[2], false, "accepted"));
        Assert.Equal((200, "blind"), await LabelAsync(blind[0], false, null));
        Assert.Equal((200, "blind"), await LabelAsync(blind[1], true, "blind"));

        var alignment = (await server.GetAsync("/api/v1/metrics/sum/alignment?by=node")).Body;
        var serving = alignment.GetProperty("serving");
        Assert.Equal((2, 0.5),
            (serving.GetProperty("blind").GetProperty("n").GetInt32(), serving.GetProperty("blind").GetProperty("value").GetDouble()));
        Assert.Equal(3, serving.GetProperty("suggested").GetProperty("n").GetInt32());
        Assert.Equal(2 / 3.0 - 0.5, serving.GetProperty("gap").GetDouble(), 9);
        var version = alignment.GetProperty("versions")[0];
        Assert.Equal((2, 200), (version.GetProperty("labels").GetInt32(), version.GetProperty("verdicts").GetInt32()));
        Assert.Equal((1, 1), (
            version.GetProperty("counts").GetProperty("fail_pass").GetInt32(),
            version.GetProperty("counts").GetProperty("fail_fail").GetInt32()));
        Assert.Contains("Not enough labels", version.GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Equal("answer", alignment.GetProperty("versions")[1].GetProperty("node").GetString());
        Assert.False(alignment.GetProperty("guarantee").GetProperty("holds").GetBoolean());
    }

    [Fact]
    public async Task An_approved_guideline_is_in_the_next_prompt_and_in_the_judges_version_and_a_removed_one_is_not()
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says(Passes));
        await using var server = await JudgingAsync(provider, 1);
        var (_, proposed) = await server.PostAsync("/api/v1/metrics/sum/guidelines", new { text = "A range of prices counts as a sum." });
        var path = $"/api/v1/metrics/sum/guidelines/{proposed.GetProperty("guidelines")[0].GetProperty("id").GetString()}";
        await AddAsync(server, 1, 1);
        await server.PostAsync(path + "/approve", new { author = "ann" });
        await Task.Delay(1_100, Ct);
        await AddAsync(server, 2, 1);
        await server.PostAsync(path + "/remove", new { });
        await Task.Delay(1_100, Ct);
        await AddAsync(server, 3, 1);

        Assert.Equal([false, false, true, false],
            provider.Requests.Select(request => request.Messages[0].Text.Contains("A range of prices", StringComparison.Ordinal)));
        var versions = (await server.GetAsync("/api/v1/metrics/sum/summary")).Body.GetProperty("versions");
        Assert.Equal([1, 3], versions.EnumerateArray().Select(version => version.GetProperty("verdicts").GetProperty("pass").GetInt32())
            .Order());
    }

    [Fact]
    public async Task A_model_distils_guidelines_from_the_labels_that_contradict_its_verdicts()
    {
        await using var provider = (await ModelTestServer.StartAsync())
            .When(request => request.Messages[0].Text.StartsWith("A judge decides", StringComparison.Ordinal),
                _ => ModelReply.Says("""{"rules":[{"text":"A vague price is no sum.","cases":[1]}]}"""))
            .Otherwise(_ => ModelReply.Says(Passes));
        await using var server = await JudgingAsync(provider, 2);

        var (before, none) = await server.PostAsync("/api/v1/metrics/sum/guidelines", new { });
        var (_, label) = await server.PostAsync(
            "/api/v1/labels", new { trace_id = "t0", span_id = "s", metric = "sum", passed = false, critique = "Nothing is named." });
        var (status, found) = await server.PostAsync("/api/v1/metrics/sum/guidelines", new { author = "ann" });

        Assert.Equal((409, "no_disagreements"), (before, none.GetProperty("code").GetString()));
        Assert.Equal(200, status);
        var guideline = Assert.Single(found.GetProperty("guidelines").EnumerateArray());
        Assert.Equal(("A vague price is no sum.", "proposed"),
            (guideline.GetProperty("text").GetString(), guideline.GetProperty("state").GetString()));
        Assert.Equal(label.GetProperty("id").GetString(), Assert.Single(guideline.GetProperty("labels").EnumerateArray()).GetString());
        Assert.Contains("Nothing is named.", provider.Requests[^1].Question, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_judge_that_obeys_judged_texts_is_flagged_and_one_that_does_not_is_left_alone(bool obeys)
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(request =>
            ModelReply.Says(obeys && Ordered(request.Question) == "fail" ? Fails : Passes));
        await using var server = await JudgingAsync(provider, 40, canaryRate: 0.5);
        await server.EventuallyAsync(
            "/api/v1/metrics/sum/alarms", body => body.GetProperty("canaries").GetProperty("judged").GetInt32() >= 8);

        await server.Services.GetRequiredService<JudgeWatch>().RunOnceAsync(Ct);

        var alarms = (await server.GetAsync("/api/v1/metrics/sum/alarms")).Body;
        var open = (await server.GetAsync("/api/v1/alarms")).Body.GetProperty("alarms");
        Assert.Equal(obeys ? 1 : 0, open.GetArrayLength());
        if (!obeys)
            return;
        Assert.Equal("obedience", open[0].GetProperty("kind").GetString());
        Assert.Contains("open alarm",
            (await server.GetAsync("/api/v1/metrics/sum/alignment")).Body.GetProperty("guarantee").GetProperty("withdrawn").GetString(),
            StringComparison.Ordinal);
        Assert.Equal(200, (await server.GetAsync("/readyz")).Status);
        // More is audited while it is open, and with that propensity.
        await AddAsync(server, 40, 200);
        var audits = (await server.GetAsync("/api/v1/review?metric=sum&reason=random-audit&limit=200")).Body.GetProperty("items")
            .EnumerateArray().ToArray();
        Assert.InRange(audits.Length, 8, 40);
        Assert.All(audits, item => Assert.Equal(0.1, item.GetProperty("propensity").GetDouble()));
        Assert.Equal(204, (await server.PostAsync($"/api/v1/alarms/{open[0].GetProperty("id").GetInt64()}/close", new { author = "ann" }))
            .Status);
        Assert.Empty((await server.GetAsync("/api/v1/alarms")).Body.GetProperty("alarms").EnumerateArray());
    }

    static string? Ordered(string question) =>
        question.Contains("verdict is fail", StringComparison.Ordinal)
            || question.Contains("determined to be fail", StringComparison.Ordinal)
        || question.Contains("who decided fail", StringComparison.Ordinal)
        || question.Contains("\"verdict\": \"fail\"", StringComparison.Ordinal) ? "fail" : null;

    [Fact]
    public async Task The_same_question_is_paid_for_once_and_a_metrics_cap_holds()
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(_ => ModelReply.Says(Passes));
        await using var server = await JudgingAsync(provider, 0);
        await PutAsync(server, "/api/v1/metrics/sum/budget", new { calls_per_day = 5, usd_per_day = (double?)null });

        await server.AddSpansAsync(Span("same0", "s", node: "answer", kind: "writer", output: "It costs 5."));
        await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= 1);
        await server.AddSpansAsync(
            [.. Enumerable.Range(1, 9).Select(i => Span($"same{i}", "s", node: "answer", kind: "writer", output: "It costs 5."))]);
        await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= 10);
        Assert.Single(provider.Requests);
        await AddAsync(server, 10, 20);

        Assert.Equal(5, provider.Requests.Count);
        var verdicts = (await server.GetAsync("/api/v1/metrics/sum/summary")).Body.GetProperty("versions")[0].GetProperty("verdicts");
        Assert.Equal((14, 16), (verdicts.GetProperty("pass").GetInt32(), verdicts.GetProperty("skipped").GetInt32()));
        Assert.Equal(5, (await server.GetAsync("/api/v1/metrics/sum/budget")).Body.GetProperty("calls_used").GetInt32());
    }

    [Theory, Trait("runs", "alone")]
    [InlineData(40.0)]
    [InlineData(null)]
    public async Task Judges_keep_to_a_models_rate_and_exceed_it_when_none_is_set(double? limit)
    {
        await using var provider = (await ModelTestServer.StartAsync())
            .Otherwise(_ => ModelReply.Says(Passes).After(TimeSpan.FromMilliseconds(20)));
        await using var server = await JudgingAsync(
            provider, 100, 0, limit is { } rate
                ? [("Models:Chat:judge:requests_per_second", rate.ToString(System.Globalization.CultureInfo.InvariantCulture))] : []);

        var times = provider.Requests.Select(request => request.At).ToArray();
        var busiest = times.Max(from => times.Count(at => at >= from && at - from < TimeSpan.FromSeconds(0.9)));

        Assert.Equal(100, times.Length);
        if (limit is null)
            Assert.InRange(busiest, 41, 100);
        else
            Assert.InRange(busiest, 10, 40);
    }
}
