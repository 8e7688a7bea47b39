using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Flywheel.Engine.Models.Offline;

namespace Flywheel.Server.Tests.Guarding;

public sealed class GuardApiTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    static object Metric(string name, object validator, string onFail, string? subject = "input") => new
    {
        name, criterion = "Is it fine?", subject, role = "guard", on_fail = onFail, validator,
    };

    [Fact]
    public async Task A_guard_answers_before_the_model_and_its_verdict_is_recorded_with_the_span()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", Metric("input.rude", new { kind = "absent", words = new[] { "fool" } }, "block"));

        var (status, answer) = await server.PostAsync("/api/v1/guard", new { node = "intent", kind = "classifier", input = "you fool" });

        Assert.Equal(200, status);
        Assert.Equal(("block", "you fool"), (answer.GetProperty("decision").GetString(), answer.GetProperty("input").GetString()));
        var finding = Assert.Single(answer.GetProperty("findings").EnumerateArray());
        Assert.Equal(("input.rude", "block", "fail"), (
            finding.GetProperty("metric").GetString(), finding.GetProperty("action").GetString(),
            finding.GetProperty("outcome").GetString()));

        await server.AddSpansAsync(RunningServer.Span("t", "s", input: "you fool"));
        var trace = await server.EventuallyAsync(
            "/api/v1/traces/t", body => body.GetProperty("spans")[0].GetProperty("verdicts").GetArrayLength() == 1);
        var verdict = trace.GetProperty("spans")[0].GetProperty("verdicts")[0];
        Assert.Equal(("fail", finding.GetProperty("validator_version").GetString()), (
            verdict.GetProperty("outcome").GetString(), verdict.GetProperty("validator_version").GetString()));
    }

    [Fact]
    public async Task A_remote_application_is_kept_from_asking()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", Metric("input.rude", new { kind = "absent", words = new[] { "fool" } }, "block"));
        using var loop = new RemoteLoop(server.Http.BaseAddress!);
        await using var connection = new FlywheelConnection(loop);
        using var model = new OfflineChatClient();
        using var node = model.UseFlywheel(
            connection, "intent", NodeKind.Classifier, options => options.GuardDeadline = Timeout.InfiniteTimeSpan);

        await Assert.ThrowsAsync<InputBlockedException>(() =>
            Microsoft.Extensions.AI.ChatClientExtensions.GetResponseAsync(node, "you fool", cancellationToken: Ct));
        await connection.FlushAsync(Ct);

        Assert.Equal((1, 0), (connection.Statistics.Recorded, connection.Statistics.FailedGuards));
    }

    [Theory]
    [InlineData("""{"name":"m","criterion":"c","on_fail":"flag","validator":{"kind":"length","max":1}}""", "on_fail")]
    [InlineData("""{"name":"m","criterion":"c","on_error":"block","validator":{"kind":"length","max":1}}""", "on_error")]
    [InlineData("""{"name":"m","criterion":"c","role":"guard","on_fail":"stop","validator":{"kind":"length","max":1}}""", "on_fail")]
    [InlineData("""{"name":"m","criterion":"c","role":"guard","on_fail":"redact","validator":{"kind":"length","max":1}}""", "on_fail")]
    [InlineData("""{"name":"m","criterion":"c","role":"guard","on_fail":"block","validator":{"kind":"length","max":1}}""", "on_fail")]
    [InlineData("""{"name":"m","criterion":"c","role":"guard","sampling":0.5,"subject":"input","validator":{"kind":"length","max":1}}""",
        "sampling")]
    [InlineData("""{"name":"m","criterion":"c","role":"guard","subject":"input","validator":{"kind":"sql-expression","expression":"length(input)<9"}}""", "role")]
    public async Task A_guard_that_could_not_work_is_refused_with_the_field(string metric, string field)
    {
        await using var server = await RunningServer.StartAsync();

        var (status, body) = await server.PostAsync("/api/v1/metrics", metric);

        Assert.Equal(400, status);
        Assert.Equal(field, body.GetProperty("field").GetString());
    }

    [Theory]
    [InlineData("""{"node":"","input":"x"}""", "node")]
    [InlineData("""{"node":"n","input":"x","kind":"poet"}""", "kind")]
    [InlineData("""{"node":"n","input":"x","attributes":[1]}""", "attributes")]
    [InlineData("""{"node":"n","input":"x\u0000"}""", "input")]
    public async Task A_question_that_cannot_be_right_is_refused_with_the_field(string question, string field)
    {
        await using var server = await RunningServer.StartAsync();

        var (status, body) = await server.PostAsync("/api/v1/guard", question);

        Assert.Equal((400, field), (status, body.GetProperty("field").GetString()));
    }
}
