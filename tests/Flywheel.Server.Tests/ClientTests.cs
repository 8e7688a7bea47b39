using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Labeling;
using Flywheel.Core.Traces;
using Flywheel.Engine.Models.Offline;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Tests;

/// <summary>The real client against the real server.</summary>
public sealed class ClientTests
{
    const string Options =
        "Answer with one of these options.\n\nOptions:\n- billing: charges and refunds\n- technical: devices\n- general: everything else";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_remote_application_gets_better_from_a_persons_fix()
    {
        await using var server = await RunningServer.StartAsync();
        using var loop = new RemoteLoop(server.Http.BaseAddress!);
        await using var connection = new FlywheelConnection(loop);
        using var model = new OfflineChatClient();
        using var node = model.UseFlywheel(
            connection, "intent", NodeKind.Classifier, options => options.RetrievalDeadline = Timeout.InfiniteTimeSpan);

        var before = await AskAsync(node, "My kettle leaks, who pays me back?");
        await connection.FlushAsync(Ct);
        var key = before.SpanKey()!.Value;
        var (_, correction) = await server.PostAsync("/api/v1/corrections",
            new { trace_id = key.Trace, span_id = key.Span, went_wrong = "it is about the device", corrected_output = "technical" });
        await server.PostAsync($"/api/v1/demonstrations/{correction.GetProperty("demonstration_id").GetString()}/approve", "{}");
        var after = await AskAsync(node, "My kettle leaks, who will pay me back?");
        await connection.FlushAsync(Ct);
        var (_, trace) = await server.GetAsync($"/api/v1/traces/{after.SpanKey()!.Value.Trace}");
        var span = trace.GetProperty("spans")[0];

        Assert.NotEqual("technical", before.Text);
        Assert.Equal("technical", after.Text);
        Assert.Equal("My kettle leaks, who will pay me back?", span.GetProperty("input").GetString());
        Assert.Equal("technical", span.GetProperty("output").GetString());
        Assert.Equal("classifier", span.GetProperty("kind").GetString());
        Assert.Equal(correction.GetProperty("demonstration_id").GetString(),
            Assert.Single(span.GetProperty("demonstrations").EnumerateArray()).GetString());
        Assert.Equal(0, connection.Statistics.FailedRetrievals);
        Assert.Equal(2, connection.Statistics.Recorded);
    }

    [Fact]
    public async Task A_streamed_answer_is_recorded_whole()
    {
        await using var server = await RunningServer.StartAsync();
        using var loop = new RemoteLoop(server.Http.BaseAddress!);
        await using var connection = new FlywheelConnection(loop);
        using var model = new OfflineChatClient();
        using var node = model.UseFlywheel(connection, "intent", NodeKind.Classifier);
        SpanKey? key = null;
        var text = "";

        await foreach (var update in node.GetStreamingResponseAsync(
            [new(ChatRole.System, Options), new(ChatRole.User, "refund my charges")], cancellationToken: Ct))
        {
            key ??= update.SpanKey();
            text += update.Text;
        }
        await connection.FlushAsync(Ct);
        var (status, trace) = await server.GetAsync($"/api/v1/traces/{key!.Value.Trace}");

        Assert.Equal(200, status);
        Assert.Equal(text, trace.GetProperty("spans")[0].GetProperty("output").GetString());
    }

    [Fact]
    public async Task Feedback_labels_and_corrections_reach_the_trace()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/metrics", """{"name":"short","criterion":"Is it short?","validator":{"kind":"length","max":5}}""");
        await server.AddSpansAsync(RunningServer.Span("t", "s"));
        using var api = new FlywheelApi(server.Http.BaseAddress!);

        await api.FeedbackAsync("t", "s", "thumbs", true, "good", ct: Ct);
        await api.LabelAsync(new("t", "s"), "short", false, LabelMode.Blind, author: "ana", ct: Ct);
        await api.CorrectAsync(new("t", "s"), "billing", "it was about money", author: "ana", ct: Ct);
        var (_, trace) = await server.GetAsync("/api/v1/traces/t");

        Assert.Single(trace.GetProperty("feedback").EnumerateArray());
        Assert.Single(trace.GetProperty("spans")[0].GetProperty("labels").EnumerateArray());
        Assert.Single(trace.GetProperty("spans")[0].GetProperty("corrections").EnumerateArray());
    }

    static Task<ChatResponse> AskAsync(IChatClient node, string text) =>
        node.GetResponseAsync([new(ChatRole.System, Options), new(ChatRole.User, text)], cancellationToken: Ct);
}
