using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests;

public class PackTests
{
    [Fact]
    public async Task Every_metric_of_every_pack_works_on_a_server_without_any_setting_or_says_what_it_needs()
    {
        await using var server = await RunningServer.StartAsync();
        var registry = server.Services.GetRequiredService<ValidatorRegistry>();

        Assert.Equal(["classifier", "codegen", "inputs", "retriever", "tool", "writer"], MetricPack.All.Select(pack => pack.Name));
        foreach (var pack in MetricPack.All)
        {
            var (status, body) = await server.PostAsync($"/api/v1/packs/{pack.Name}/activate", new { judges = true });
            Assert.Equal(200, status);
            foreach (var (own, done) in pack.Metrics.Zip(body.GetProperty("metrics").EnumerateArray()))
            {
                Assert.Equal(own.Needs is null ? "activated" : "left_out", done.GetProperty("result").GetString());
                var kind = registry.Get(own.Metric.Validator.GetProperty("kind").GetString()!);
                foreach (var need in own.Needs?.Keys ?? [])
                    Assert.Contains(need, kind.Settings.Select(setting => setting.Name));
            }
        }
    }

    [Fact]
    public async Task A_pack_is_previewed_then_switched_on_once()
    {
        await using var server = await RunningServer.StartAsync();
        await server.AddSpansAsync(
            RunningServer.Span("t1", "1", "answer", "writer", "Hello?", "We are glad to delve into this."),
            RunningServer.Span("t1", "2", "answer", "writer", "Hello?", "Fine."),
            RunningServer.Span("t1", "3", "intent", "classifier", "Hello?", "general"));

        var (status, preview) = await server.PostAsync("/api/v1/packs/writer/preview", new { last = 10 });
        Assert.Equal(200, status);
        Assert.Equal(3, preview.GetProperty("spans").GetInt32());
        var filler = Metric(preview, "writer.no-filler");
        Assert.Equal((1, 1, 1), Counts(filler));
        Assert.Equal("found: `delve`", filler.GetProperty("examples")[0].GetProperty("reason").GetString());
        Assert.Equal(0, (await server.GetAsync("/api/v1/metrics")).Body.GetProperty("metrics").GetArrayLength());

        var (_, first) = await server.PostAsync("/api/v1/packs/writer/activate", new { nodes = new[] { "answer" } });
        Assert.Equal("activated", Metric(first, "writer.no-filler").GetProperty("result").GetString());
        Assert.Equal("left_out", Metric(first, "writer.helpful").GetProperty("result").GetString());
        var (_, again) = await server.PostAsync("/api/v1/packs/writer/activate", new { nodes = new[] { "answer" } });
        Assert.Equal("unchanged", Metric(again, "writer.no-filler").GetProperty("result").GetString());
        var (_, more) = await server.PostAsync(
            "/api/v1/packs/writer/activate", new { nodes = new[] { "summary" }, only = new[] { "writer.no-filler" } });
        Assert.Equal("changed", Metric(more, "writer.no-filler").GetProperty("result").GetString());
        Assert.Equal(["answer", "summary"],
            (await server.GetAsync("/api/v1/metrics/writer.no-filler")).Body.GetProperty("nodes").EnumerateArray()
                .Select(node => node.GetString()));
    }

    [Fact]
    public async Task A_changed_metric_of_ones_own_is_kept()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync(
            "/api/v1/metrics", new { name = "tool.fast", criterion = "Mine?", validator = new { kind = "length", max = 5 } });

        var (_, body) = await server.PostAsync("/api/v1/packs/tool/activate", new { });

        Assert.Equal("kept", Metric(body, "tool.fast").GetProperty("result").GetString());
        Assert.Equal("Mine?", (await server.GetAsync("/api/v1/metrics/tool.fast")).Body.GetProperty("criterion").GetString());
    }

    [Fact]
    public async Task What_needs_settings_takes_them_and_a_wrong_one_switches_nothing_on()
    {
        await using var server = await RunningServer.StartAsync();

        var (bad, problem) = await server.PostAsync(
            "/api/v1/packs/classifier/activate", """{"settings":{"classifier.rule":{"rules":[{"class":"billing","pattern":"(a)\\1"}]}}}""");
        Assert.Equal((400, "validator.rules"), (bad, problem.GetProperty("field").GetString()));
        Assert.Equal(400, (await server.PostAsync("/api/v1/packs/classifier/activate", """{"only":["nope"]}""")).Status);
        Assert.Equal(404, (await server.PostAsync("/api/v1/packs/nope/activate", "{}")).Status);
        Assert.Equal(0, (await server.GetAsync("/api/v1/metrics")).Body.GetProperty("metrics").GetArrayLength());

        var (status, body) = await server.PostAsync(
            "/api/v1/packs/classifier/activate",
            """{"settings":{"classifier.known":{"values":["billing"]},"classifier.rule":{"rules":[{"class":"billing","words":["bill"]}]}}}""");
        Assert.Equal(200, status);
        Assert.All(body.GetProperty("metrics").EnumerateArray(), metric =>
            Assert.Equal("activated", metric.GetProperty("result").GetString()));
    }

    [Fact]
    public async Task A_rule_disagrees_a_person_confirms_and_the_case_is_a_demonstration()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", """
            {"name":"intent.rule","criterion":"As the rules say?","nodes":["intent"],
             "validator":{"kind":"classifier.rule","rules":[{"class":"billing","words":["bill","payment"]},{"class":"delivery","words":["parcel"]}]}}
            """);
        await server.AddSpansAsync(
            RunningServer.Span("t1", "1", input: "Why was I billed twice?", output: "general"),
            RunningServer.Span("t1", "2", input: "Where is my parcel?", output: "delivery"));

        var queue = await server.EventuallyAsync(
            "/api/v1/review?reason=low-score", body => body.GetProperty("items").GetArrayLength() == 1);
        Assert.Equal("the rules expect `billing` (mentions `bill`), the answer is \"general\"",
            queue.GetProperty("items")[0].GetProperty("detail").GetString());

        await server.PostAsync(
            "/api/v1/corrections", new { trace_id = "t1", span_id = "1", corrected_output = "billing", went_wrong = "a bill" });
        await server.PostAsync("/api/v1/corrections", new { trace_id = "t1", span_id = "2", corrected_output = "delivery" });
        var demonstrations = await server.EventuallyAsync(
            "/api/v1/demonstrations?node=intent&state=pending", body => body.GetProperty("demonstrations").GetArrayLength() == 2);
        Assert.Contains(demonstrations.GetProperty("demonstrations").EnumerateArray(), each =>
            each.GetProperty("output").GetString() == "billing");

        var (_, scores) = await server.GetAsync("/api/v1/nodes/intent/classification");
        Assert.Equal(0.5, scores.GetProperty("scores").GetProperty("accuracy").GetProperty("value").GetDouble());
        Assert.StartsWith("Not enough cases: 2", scores.GetProperty("note").GetString(), StringComparison.Ordinal);
        Assert.Equal(404, (await server.GetAsync("/api/v1/nodes/nowhere/classification")).Status);
    }

    [Fact]
    public async Task A_new_metric_is_tried_on_the_past_and_then_back_filled_over_it()
    {
        await using var server = await RunningServer.StartAsync();
        await server.AddSpansAsync(
            [.. Enumerable.Range(0, 30)
                .Select(i => RunningServer.Span("t", $"{i}", output: i % 3 == 0 ? "much too long an answer" : "ok"))]);
        var metric = new { name = "short", criterion = "Short?", validator = new { kind = "length", max = 5 } };

        var (_, preview) = await server.PostAsync("/api/v1/metrics/preview", new { metric, last = 2000 });
        Assert.Equal((20, 10, 0), Counts(preview));
        Assert.Equal("invalid_last",
            (await server.PostAsync("/api/v1/metrics/preview", new { metric, last = 0 })).Body.GetProperty("code").GetString());
        var (_, judge) = await server.PostAsync(
            "/api/v1/metrics/preview",
            new { metric = new { name = "polite", criterion = "Polite?", validator = new { kind = "judge" } }, last = 10 });
        Assert.Equal((10, 0),
            (judge.GetProperty("calls").GetInt32(),
                judge.GetProperty("outcomes").EnumerateObject().Sum(outcome => outcome.Value.GetInt32())));

        await server.EventuallyAsync(
            "/api/v1/jobs", body =>
                server.Store.Jobs.CountsAsync(DateTimeOffset.UtcNow, TestContext.Current.CancellationToken).Result.PendingSpans == 0);
        await server.PostAsync("/api/v1/metrics", metric);
        Assert.Equal(404, (await server.GetAsync("/api/v1/metrics/short/backfill")).Status);
        var (status, _) = await server.PostAsync("/api/v1/metrics/short/backfill", new { limit = 25 });
        Assert.Equal(200, status);
        var done = await server.EventuallyAsync("/api/v1/metrics/short/backfill", body => body.GetProperty("state").GetString() == "done");
        Assert.Equal((25, 30), (done.GetProperty("queued").GetInt32(), done.GetProperty("total").GetInt32()));
        await server.EventuallyAsync("/api/v1/metrics/short/summary", body =>
            body.GetProperty("versions").GetArrayLength() == 1
                && body.GetProperty("versions")[0].GetProperty("validator_pass_rate").GetProperty("n").GetInt32() == 25);
    }

    static JsonElement Metric(JsonElement body, string name) =>
        body.GetProperty("metrics").EnumerateArray().Single(metric => metric.GetProperty("name").GetString() == name);

    static (int Pass, int Fail, int Skipped) Counts(JsonElement metric)
    {
        var outcomes = metric.GetProperty("outcomes");
        return (outcomes.GetProperty("pass").GetInt32(), outcomes.GetProperty("fail").GetInt32(),
            outcomes.GetProperty("skipped").GetInt32());
    }
}
