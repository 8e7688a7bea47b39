using Flywheel.Client.Remote;
using Flywheel.Core.Traces;
using Flywheel.Server.Tests.Gateway;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests;

/// <summary>Feedback in the shapes that people know.</summary>
public sealed class FeedbackTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_answer_of_the_gateway_is_named_by_its_response_id()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("fine"));
        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("hi", "greet::m"), headers: [("x-flywheel-session", "chat-1")]);
        var id = answer.Json.GetProperty("id").GetString()!;
        var span = await gateway.SpanAsync(answer);
        using var api = new FlywheelApi(gateway.Server.Http.BaseAddress!);

        await api.ResponseFeedbackAsync(id, "thumbs", true, comment: "nice", idempotencyKey: "k", ct: Ct);
        await api.ResponseFeedbackAsync(id, "thumbs", true, comment: "nice", idempotencyKey: "k", ct: Ct);
        await api.SessionFeedbackAsync("chat-1", "stars", 4, ct: Ct);
        await api.CommentAsync(span.Key, "quick", ct: Ct);
        await Assert.ThrowsAsync<HttpRequestException>(() => api.ResponseFeedbackAsync("nobody", "thumbs", true, ct: Ct));
        await Assert.ThrowsAsync<HttpRequestException>(() => api.ResponseFeedbackAsync(id, "thumbs", false, idempotencyKey: "k", ct: Ct));
        var (_, trace) = await gateway.Server.GetAsync($"/api/v1/traces/{span.Key.Trace}");
        var (_, thumbs) = await gateway.Server.GetAsync("/api/v1/feedback?name=thumbs");
        var (_, session) = await gateway.Server.GetAsync("/api/v1/feedback?session=chat-1");

        Assert.Equal(["comment", "stars", "thumbs"],
            trace.GetProperty("feedback").EnumerateArray().Select(each => each.GetProperty("name").GetString()!).Order());
        var one = Assert.Single(thumbs.GetProperty("feedback").EnumerateArray());
        Assert.Equal((span.Key.Span, "nice"), (one.GetProperty("span_id").GetString(), one.GetProperty("comment").GetString()));
        Assert.Equal(4, Assert.Single(session.GetProperty("feedback").EnumerateArray()).GetProperty("value").GetInt32());
    }

    [Fact]
    public async Task A_session_may_go_on_between_a_feedback_and_its_repeat()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync(
            "/api/v1/spans", new { spans = new[] { new { trace_id = "t1", span_id = "s", node = "n", session = "c", started_at = DateTime.UtcNow } } });
        var first = await server.PostAsync(
            "/api/v1/feedback", new { session = "c", name = "solved", value = true }, ("Idempotency-Key", "k"));
        await server.PostAsync(
            "/api/v1/spans", new { spans = new[] { new { trace_id = "t2", span_id = "s", node = "n", session = "c", started_at = DateTime.UtcNow } } });

        var second = await server.PostAsync(
            "/api/v1/feedback", new { session = "c", name = "solved", value = true }, ("Idempotency-Key", "k"));
        var other = await server.PostAsync(
            "/api/v1/feedback", new { session = "c", name = "solved", value = false }, ("Idempotency-Key", "k"));

        Assert.Equal((200, 200, 409), (first.Status, second.Status, other.Status));
        Assert.Equal("t1", first.Body.GetProperty("trace_id").GetString());
        Assert.Single((await server.GetAsync("/api/v1/feedback")).Body.GetProperty("feedback").EnumerateArray());
    }

    [Fact]
    public async Task A_demonstration_waits_for_a_person_and_is_no_correction()
    {
        await using var server = await RunningServer.StartAsync();
        await server.AddSpansAsync(RunningServer.Span("t", "s", input: "My kettle leaks", output: "billing"));
        using var api = new FlywheelApi(server.Http.BaseAddress!);

        var id = await api.DemonstrateAsync(new SpanKey("t", "s"), "technical", comment: "a device", idempotencyKey: "k", ct: Ct);
        await api.DemonstrateAsync(new SpanKey("t", "s"), "technical", comment: "a device", idempotencyKey: "k", ct: Ct);
        var (_, listed) = await server.GetAsync("/api/v1/demonstrations");
        var (_, trace) = await server.GetAsync("/api/v1/traces/t");

        var demonstration = Assert.Single(listed.GetProperty("demonstrations").EnumerateArray());
        Assert.Equal((id.ToString(), "pending"),
            (demonstration.GetProperty("id").GetString(), demonstration.GetProperty("state").GetString()));
        Assert.Equal(("My kettle leaks", "technical"),
            (demonstration.GetProperty("input").GetString(), demonstration.GetProperty("output").GetString()));
        Assert.Empty(trace.GetProperty("spans")[0].GetProperty("corrections").EnumerateArray());
    }

    [Fact]
    public async Task Feedback_about_nothing_or_two_things_is_refused()
    {
        await using var server = await RunningServer.StartAsync();
        await server.AddSpansAsync(RunningServer.Span("t", "s"));
        foreach (var (body, status, code) in new[]
        {
            ("""{"name": "thumbs", "value": true}""", 400, "invalid_trace_id"),
            ("""{"name": "thumbs", "value": true, "trace_id": "t", "session": "c"}""", 400, "invalid_trace_id"),
            ("""{"name": "thumbs", "value": true, "span_id": "s"}""", 400, "invalid_trace_id"),
            ("""{"name": "thumbs", "value": true, "session": "c"}""", 404, "unknown_session"),
            ("""{"name": "thumbs", "value": {}, "trace_id": "t"}""", 400, "invalid_value"),
            ("""{"name": "comment", "value": 3, "trace_id": "t"}""", 400, "invalid_value"),
            ("""{"name": "demonstration", "value": "x", "trace_id": "t"}""", 400, "invalid_span_id"),
        })
        {
            var refused = await server.PostAsync("/api/v1/feedback", body);

            Assert.Equal((body, status, code), (body, refused.Status, refused.Body.GetProperty("code").GetString()));
        }
    }

    [Fact]
    public async Task A_person_is_erased_by_one_call()
    {
        await using var server = await RunningServer.StartAsync();
        await server.PostAsync("/api/v1/spans", new { spans = new object[]
        {
            new { trace_id = "t", span_id = "s", node = "intent", end_user = "eve", input = "my kettle leaks", output = "billing",
                started_at = DateTime.UtcNow },
            new { trace_id = "u", span_id = "s", node = "intent", end_user = "bob", input = "hello", output = "general",
                started_at = DateTime.UtcNow },
        } });
        var (_, correction) = await server.PostAsync(
            "/api/v1/corrections", new { trace_id = "t", span_id = "s", corrected_output = "technical" });
        await server.PostAsync($"/api/v1/demonstrations/{correction.GetProperty("demonstration_id").GetString()}/approve", "{}");
        var found = await SearchAsync();

        var (status, erased) = await server.PostAsync("/api/v1/end-users/erase", new { end_user = "eve", compact = true });
        var (nameless, problem) = await server.PostAsync("/api/v1/end-users/erase", new { end_user = " " });

        Assert.Equal(1, found);
        Assert.Equal(200, status);
        Assert.Equal((1, true),
            (erased.GetProperty("erased").GetProperty("spans").GetInt32(), erased.GetProperty("compacted").GetBoolean()));
        Assert.Equal(0, await SearchAsync());
        Assert.Equal(404, (await server.GetAsync("/api/v1/traces/t")).Status);
        Assert.Equal(200, (await server.GetAsync("/api/v1/traces/u")).Status);
        Assert.Equal((400, "invalid_end_user"), (nameless, problem.GetProperty("code").GetString()));

        async Task<int> SearchAsync()
        {
            var (_, answer) = await server.PostAsync(
                "/api/v1/demonstrations/search", new { node = "intent", input = "my kettle leaks again" });
            return answer.GetProperty("demonstrations").GetArrayLength();
        }
    }
}
