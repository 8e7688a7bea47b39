using System.Text.Json;
using Flywheel.Engine.Judging;
using Flywheel.TestServer;
using Microsoft.Extensions.DependencyInjection;
using static Flywheel.Server.Tests.RunningServer;

namespace Flywheel.Server.Tests;

/// <summary>Verdicts become probabilities and lines as labels come, over HTTP.</summary>
public sealed class CalibrationTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Sure of cases with an even number, doubtful of the others.</summary>
    static ModelReply Judge(string question) =>
        ModelReply.Says($$"""{"critique":"It names the sum.","verdict":"pass","confidence":{{(question.Contains("even", StringComparison.Ordinal) ? "0.95" : "0.6")}}}""");

    static async Task AddAsync(RunningServer server, int from, int count) => await server.AddSpansAsync([.. Enumerable.Range(from, count)
        .Select(i => Span($"t{i}", "s", node: "answer", kind: "writer", input: "How much?",
            output: $"It costs {(i % 2 == 0 ? "even" : "odd")} more, case {i}."))]);

    static int Verdicts(JsonElement summary) => summary.GetProperty("versions").EnumerateArray()
        .Sum(version => version.GetProperty("verdicts").EnumerateObject().Sum(outcome => outcome.Value.GetInt32()));

    static async Task<JsonElement> VerdictAsync(RunningServer server, int i) =>
        (await server.GetAsync($"/api/v1/traces/t{i}")).Body.GetProperty("spans")[0].GetProperty("verdicts")[0];

    [Fact]
    public async Task Labels_make_a_line_that_the_next_verdicts_stand_above_or_go_to_people_and_an_alarm_withdraws_it()
    {
        await using var provider = (await ModelTestServer.StartAsync()).Otherwise(request => Judge(request.Messages[^1].Text));
        await using var server = await RunningServer.StartAsync(
            ("Models:Chat:judge:kind", "openai"), ("Models:Chat:judge:model", "judge-1"),
            ("Models:Chat:judge:endpoint", provider.OpenAI.ToString()));
        var calibrator = server.Services.GetRequiredService<JudgeCalibrator>();
        using (var limits = new HttpRequestMessage(HttpMethod.Put, "/api/v1/project")
        {
            Content = new StringContent(
                """{"judge_calls_per_day": null, "judge_usd_per_day": null, "audit_rate": 0, "canary_rate": 0}""",
                System.Text.Encoding.UTF8, "application/json"),
        })
            await server.SendAsync(limits);
        await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Does it name the sum?", validator = new { kind = "judge" } });
        await AddAsync(server, 0, 120);
        var before = await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= 120);

        Assert.Contains("Not enough labels for the guarantee: 0 blind labels, about",
            before.GetProperty("calibration").GetProperty("note").GetString(), StringComparison.Ordinal);
        var first = await VerdictAsync(server, 1);
        Assert.Equal(("pass", JsonValueKind.Null, 0.6, JsonValueKind.Null),
            (first.GetProperty("outcome").GetString(), first.GetProperty("confidence").ValueKind,
                first.GetProperty("raw_confidence").GetDouble(), first.GetProperty("stands").ValueKind));

        // People agree with what the judge is sure of, and with half of the rest.
        for (var i = 0; i < 120; i++)
            await server.PostAsync(
                "/api/v1/labels", new { trace_id = $"t{i}", span_id = "s", metric = "sum", passed = i % 2 == 0 || i % 4 == 1,
                    propensity = 0.1 });
        // The promise is a new version of the metric, and the same judge: its labels count.
        var (status, answer) = await server.PostAsync("/api/v1/metrics/sum/versions", new
        {
            name = "sum", criterion = "Does it name the sum?",
            validator = new { kind = "judge", guarantee = new { alpha = 0.1, delta = 0.1, below = "person" } },
        });
        Assert.True(status == 201, answer.ToString());
        await calibrator.RunOnceAsync(Ct);
        Assert.Equal(0, await calibrator.RunOnceAsync(Ct));
        var view = (await server.GetAsync("/api/v1/metrics/sum/calibration?intervals=true")).Body;
        var judge = view.GetProperty("judges")[0];
        Assert.Equal((120, 30, "drawn", "ridge-platt"),
            (judge.GetProperty("n").GetInt32(), judge.GetProperty("errors").GetInt32(), judge.GetProperty("labels").GetString(),
                judge.GetProperty("calibrator").GetString()));
        Assert.InRange(judge.GetProperty("threshold").GetDouble(), 0.61, 0.95);
        Assert.True(judge.GetProperty("scores").GetProperty("log_loss").GetDouble() < judge.GetProperty("raw").GetProperty("log_loss")
            .GetDouble());
        Assert.Equal([0.6, 0.95],
            judge.GetProperty("points").EnumerateArray().Select(point => point.GetProperty("raw_confidence").GetDouble()));
        Assert.InRange(judge.GetProperty("points")[0].GetProperty("high").GetDouble(), 0.5, 0.6);

        await AddAsync(server, 200, 4);
        var after = await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= 124);
        var (stands, withheld) = (await VerdictAsync(server, 200), await VerdictAsync(server, 201));
        Assert.Equal(("pass", true), (stands.GetProperty("outcome").GetString(), stands.GetProperty("stands").GetBoolean()));
        Assert.InRange(stands.GetProperty("confidence").GetDouble(), 0.9, 1);
        Assert.Equal(("unsure", false, "pass"),
            (withheld.GetProperty("outcome").GetString(), withheld.GetProperty("stands").GetBoolean(),
                withheld.GetProperty("judges")[0].GetProperty("outcome").GetString()));
        Assert.Contains("agree with people at least 90%", after.GetProperty("calibration").GetProperty("note").GetString(),
            StringComparison.Ordinal);
        Assert.Equal((2, 2), (
            after.GetProperty("calibration").GetProperty("newest").GetProperty("above").GetInt32(),
            after.GetProperty("calibration").GetProperty("newest").GetProperty("withheld").GetInt32()));
        var item = (await server.GetAsync("/api/v1/review?metric=sum&reason=unsure")).Body.GetProperty("items").EnumerateArray()
            .Single(each => each.GetProperty("trace_id").GetString() == "t201");
        Assert.StartsWith("for a person: the judge gave a confidence of 0.6; people agree with about ",
            item.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.True((await server.GetAsync("/api/v1/metrics/sum/alignment")).Body.GetProperty("guarantee").GetProperty("holds")
            .GetBoolean());

        var metric = (await server.Store.Metrics.FindAsync(Core.Projects.ProjectId.Default, "sum", Ct))!;
        await server.Store.JudgeWatch.RaiseAsync(
            metric.Project, metric.Id, Core.Judging.AlarmKind.PassRate, "v", "it jumped", DateTimeOffset.UtcNow, Ct);
        await Task.Delay(2_100, Ct);
        await AddAsync(server, 301, 1);
        var alarmed = await server.EventuallyAsync("/api/v1/metrics/sum/summary", body => Verdicts(body) >= 125);
        var freed = await VerdictAsync(server, 301);
        Assert.Equal(("pass", JsonValueKind.Null), (freed.GetProperty("outcome").GetString(), freed.GetProperty("stands").ValueKind));
        Assert.Contains("withdrawn while an alarm is open", alarmed.GetProperty("calibration").GetProperty("note").GetString(),
            StringComparison.Ordinal);
        Assert.False((await server.GetAsync("/api/v1/metrics/sum/alignment")).Body.GetProperty("guarantee").GetProperty("holds")
            .GetBoolean());
    }

    [Fact]
    public async Task A_metric_in_code_has_no_calibration_and_a_wrong_setting_is_named()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync(
            "/api/v1/metrics", new { name = "short", criterion = "Is it short?", validator = new { kind = "length", max = 5 } });

        Assert.Equal(404, (await server.GetAsync("/api/v1/metrics/short/calibration")).Status);
        Assert.Equal(JsonValueKind.Null,
            (await server.GetAsync("/api/v1/metrics/short/summary")).Body.GetProperty("calibration").ValueKind);
        var (status, body) = await server.PostAsync(
            "/api/v1/metrics", new { name = "sum", criterion = "Sum?",
                validator = new { kind = "judge", guarantee = new { below = "never" } } });
        Assert.Equal(400, status);
        Assert.Contains("`below` is one of", body.GetRawText(), StringComparison.Ordinal);
    }
}
