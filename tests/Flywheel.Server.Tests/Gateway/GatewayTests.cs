using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Engine.Retrieval;
using Flywheel.TestServer;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;

namespace Flywheel.Server.Tests.Gateway;

public sealed class GatewayTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plain_call_passes_through_and_is_a_span_when_it_is_answered()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("Ça va — \"fine\" 😀\n", 7, 3));

        var answer = await gateway.PostAsync(
            GatewayUnderTest.Chat("How are you? \u00e9\ud83d\ude00", "greet::m", more: ""","temperature":0.25,"user":"eve" """), headers:
            [("x-flywheel-session", "s1"), ("x-flywheel-kind", "writer"),
                ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]);
        var span = await gateway.SpanAsync(answer);
        var sent = gateway.Provider.Requests[0];

        Assert.Equal(200, answer.Status);
        Assert.Equal("Ça va — \"fine\" 😀\n", answer.Content);
        Assert.Equal(("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"), (span.Key.Trace, span.ParentId));
        Assert.Equal(("greet", NodeKind.Writer, "s1", "eve", "m"), (span.Node, span.Kind, span.Session, span.EndUser, span.Model));
        Assert.Equal("How are you? \u00e9\ud83d\ude00", span.Input);
        Assert.Equal("Ça va — \"fine\" 😀\n", span.Output);
        Assert.Equal((7, 3, 13d), (span.InputTokens, span.OutputTokens, span.CostUsd));
        Assert.Null(span.Error);
        Assert.Equal("m", sent.Model);
        Assert.Equal("Bearer " + GatewayUnderTest.ProviderKey, sent.Headers["Authorization"]);
        Assert.Equal($"00-{span.Key.Trace}-{span.Key.Span}-01", sent.Headers["traceparent"]);
        var attributes = JsonElement.Parse(span.Attributes!);
        Assert.Equal("How are you? \u00e9\ud83d\ude00",
            attributes.GetProperty("gen_ai.input.messages")[1].GetProperty("parts")[0].GetProperty("content").GetString());
        Assert.Equal("Be brief.",
            attributes.GetProperty("gen_ai.input.messages")[0].GetProperty("parts")[0].GetProperty("content").GetString());
        Assert.Equal("stop", attributes.GetProperty("gen_ai.output.messages")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(0.25, attributes.GetProperty("gen_ai.request.temperature").GetDouble());
        Assert.Equal("chatcmpl-test", attributes.GetProperty("gen_ai.response.id").GetString());
    }

    [Fact]
    public async Task An_operator_may_let_answers_go_before_their_record()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(settings: ("Gateway:record_seconds", "0"));
        gateway.Provider.Then(ModelReply.Says("fine", 7, 3));

        // Somebody else writes meanwhile, or the record might be there before the answer.
        GatewayAnswer answer;
        await using (var other = new SqliteConnection($"Data Source={gateway.Server.Db["sqlite:".Length..]};Pooling=False"))
        {
            await other.OpenAsync(Ct);
            await using var writing = await other.BeginTransactionAsync(Ct);
            answer = await gateway.PostAsync(GatewayUnderTest.Chat("How are you?"));
        }

        Assert.Equal((200, "fine", "pending"), (answer.Status, answer.Content, answer.Headers["x-flywheel-recorded"]));
        var key = new SpanKey(answer.Headers["x-flywheel-trace"], answer.Headers["x-flywheel-span"]);
        Span? span = null;
        await Eventually.IsAsync(
            async () => (span = await gateway.Server.Store.Spans.FindAsync(ProjectId.Default, key, Ct)) is not null, Ct);
        Assert.Equal("fine", span?.Content.Output);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stream_passes_through_with_usage_only_for_those_who_asked(bool asks)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("one two three", 11, 5));

        var answer = await gateway.PostAsync(
            GatewayUnderTest.Chat("count", stream: true, more: asks ? ""","stream_options":{"include_usage":true}""" : ""));
        var span = await gateway.SpanAsync(answer);

        Assert.Equal("text/event-stream", answer.Headers["Content-Type"]);
        Assert.EndsWith("data: [DONE]\n\n", answer.Text, StringComparison.Ordinal);
        Assert.Equal(asks, answer.Text.Contains("\"usage\"", StringComparison.Ordinal));
        Assert.True(gateway.Provider.Requests[0].Body.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        Assert.Equal(("one two three", 11, 5, 21d), (span.Output, span.InputTokens, span.OutputTokens, span.CostUsd));
        Assert.True(JsonElement.Parse(span.Attributes!).GetProperty("gen_ai.response.time_to_first_chunk").GetDouble() > 0);
    }

    [Fact]
    public async Task An_empty_usage_member_that_we_caused_is_taken_out_of_its_chunk()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        const string First = """{"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]""";
        const string Last = """{"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]""";
        gateway.Provider.Then(ModelReply.Sends(
            $"data: {First},\"usage\":null}}\n\n: a comment\n\ndata: {Last},\"usage\":null,\"x\":1}}\r\n\r\ndata: "
                + $"{{\"id\":\"c\",\"choices\":[],\"usage\":{{\"prompt_tokens\":2,\"completion_tokens\":1}}}}\n\ndata: [DONE]\n\n",
                "text/event-stream"));

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("x", stream: true));
        var span = await gateway.SpanAsync(answer);

        Assert.Equal($"data: {First}}}\n\n: a comment\n\ndata: {Last},\"x\":1}}\r\n\r\ndata: [DONE]\n\n", answer.Text);
        Assert.Equal(("hi", 2, 1), (span.Output, span.InputTokens, span.OutputTokens));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tool_calls_and_their_results_are_kept(bool stream)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Calls("find_order", """{"number":4711,"why":"it \"broke\""}"""));
        const string Tools = ""","tools":[{"type":"function","function":{"name":"find_order","parameters":{"type":"object"}}}],"response_format":{"type":"json_object"}""";

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("Where is 4711?", stream: stream, more: Tools));
        var span = await gateway.SpanAsync(answer);
        var attributes = JsonElement.Parse(span.Attributes!);

        Assert.Equal("""[{"name":"find_order","arguments":{"number":4711,"why":"it \"broke\""}}]""", span.Output);
        var call = attributes.GetProperty("gen_ai.output.messages")[0].GetProperty("parts")[0];
        Assert.Equal(("tool_call", "call_test", 4711),
            (call.GetProperty("type").GetString(), call.GetProperty("id").GetString(),
                call.GetProperty("arguments").GetProperty("number").GetInt32()));
        Assert.Equal("find_order",
            attributes.GetProperty("gen_ai.tool.definitions")[0].GetProperty("function").GetProperty("name").GetString());
        Assert.Equal("json_object", gateway.Provider.Requests[0].Body.GetProperty("response_format").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Demonstrations_stand_behind_the_instructions_and_are_named_on_the_span()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        var id = Guid.CreateVersion7();
        await gateway.Server.Store.Demonstrations.AddAsync(
            [new(id, ProjectId.Default, DemonstrationPurpose.Task, "intent", "My \"kettle\" leaks", "technical", "billing", null, 1, null,
                null,
                DemonstrationState.Approved, "ann", DateTimeOffset.UtcNow, DateTimeOffset.UtcNow, "ann", null, null)], Ct);
        await gateway.Server.Services.GetRequiredService<DemonstrationEmbedding>().RunOnceAsync(Ct);
        gateway.Provider.Otherwise(_ => ModelReply.Says("technical"));

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("My kettle leaks again", "intent::m"));
        var span = await gateway.SpanAsync(answer);
        await gateway.PolicyAsync("intent", new { demonstration_tokens = 3 });
        await Task.Delay(1_100, Ct);
        await gateway.PostAsync(GatewayUnderTest.Chat("My kettle leaks again", "intent::m"));

        Assert.Equal(
            [("system", "Be brief."), ("user", "My \"kettle\" leaks"), ("assistant", "technical"), ("user", "My kettle leaks again")],
            gateway.Provider.Requests[0].Messages);
        Assert.Equal([id], span.Demonstrations);
        Assert.Equal(4, JsonElement.Parse(span.Attributes!).GetProperty("gen_ai.input.messages").GetArrayLength());
        Assert.Equal("My kettle leaks again", span.Input);
        Assert.Equal(2, gateway.Provider.Requests[1].Messages.Count);
    }

    [Theory]
    [InlineData("error", false)]
    [InlineData("answer", false)]
    [InlineData("answer", true)]
    public async Task A_guard_refuses_before_the_provider_is_asked(string how, bool stream)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        var (made, problem) = await gateway.Server.PostAsync("/api/v1/metrics",
            """{"name":"no_secrets","criterion":"Is it free of secrets?","subject":"input","role":"guard","on_fail":"block","validator":{"kind":"absent","words":["password"]}}""");
        Assert.True(made is 200 or 201, problem.ToString());
        await gateway.PolicyAsync("chat", new { on_refusal = how, refusal = "Not that." });

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("the password is 1234", stream: stream));
        var span = await gateway.SpanAsync(answer);

        Assert.Empty(gateway.Provider.Requests);
        Assert.StartsWith("input_refused", span.Error, StringComparison.Ordinal);
        Assert.Contains("Not that.", answer.Text, StringComparison.Ordinal);
        Assert.Equal(how == "error" ? 400 : 200, answer.Status);
        if (how == "error")
            Assert.Equal("input_refused", answer.ErrorCode);
        else if (!stream)
            Assert.Equal("Not that.", answer.Content);
        else
            Assert.EndsWith("data: [DONE]\n\n", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failing_models_are_tried_again_then_replaced()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await gateway.PolicyAsync("chat", new { retries = 1, fallbacks = new[] { "m-second" } });
        gateway.Provider.When(request => request.Model == "m", _ => ModelReply.Fails(503, "0"))
            .Otherwise(_ => ModelReply.Says("from the second"));

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("x"));
        var span = await gateway.SpanAsync(answer);

        Assert.Equal("from the second", answer.Content);
        Assert.Equal(["m", "m", "m-second"], gateway.Provider.Requests.Select(request => request.Model));
        Assert.Equal("m-second", span.Model);
        Assert.Equal(2, JsonElement.Parse(span.Attributes!).GetProperty("flywheel.failed_attempts").GetArrayLength());
    }

    [Fact]
    public async Task A_call_has_three_retries_in_all_whatever_models_it_tries()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await gateway.PolicyAsync("chat", new { retries = 2, fallbacks = new[] { "m-second", "m-third" } });
        gateway.Provider.Otherwise(_ => ModelReply.Fails(503, "0"));

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("x"));

        Assert.Equal((503, "upstream_failed"),
            (answer.Status, JsonElement.Parse((await gateway.SpanAsync(answer)).Attributes!).GetProperty("error.type").GetString()));
        Assert.Equal(["m", "m", "m", "m-second", "m-second", "m-third"], gateway.Provider.Requests.Select(request => request.Model));
    }

    [Theory]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("nonsense")]
    public async Task A_trace_context_that_cannot_be_read_begins_a_new_trace(string traceparent)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Says("ok"));

        var span = await gateway.SpanAsync(await gateway.PostAsync(GatewayUnderTest.Chat("x"), headers: ("traceparent", traceparent)));

        Assert.Null(span.ParentId);
        Assert.Equal($"00-{span.Key.Trace}-{span.Key.Span}-01", gateway.Provider.Requests[0].Headers["traceparent"]);
    }

    [Fact]
    public async Task An_equal_request_is_answered_from_the_cache_and_costs_nothing()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        await gateway.PolicyAsync("chat", new { cache_seconds = 60 });
        gateway.Provider.Then(ModelReply.Says("first"), ModelReply.Says("second"));

        var first = await gateway.PostAsync(GatewayUnderTest.Chat("x"));
        var again = await gateway.PostAsync(GatewayUnderTest.Chat("x"));
        var other = await gateway.PostAsync(GatewayUnderTest.Chat("y"));
        var span = await gateway.SpanAsync(again);

        Assert.Equal(first.Text, again.Text);
        Assert.Equal("second", other.Content);
        Assert.Equal(("first", 0d), (span.Output, span.CostUsd));
    }

    [Fact]
    public async Task Responses_and_embeddings_pass_through_too()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.When(request => request.Path == "/v1/responses", request => request.Stream
            ? ModelReply.Sends(
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"Hi \\ud83d\"}\n\n"
                + "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"\\ude00\"}\n\n"
                + "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":" + Response + "}\n\n",
                "text/event-stream")
            : ModelReply.Sends(Response));

        var plain = await gateway.PostAsync("""{"model":"m","instructions":"Be brief.","input":"Hello"}""", "responses");
        var streamed = await gateway.PostAsync(
            """{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"Hello"}]}],"stream":true}""", "responses");
        var vectors = await gateway.PostAsync("""{"model":"m-embed","input":["a","b"]}""", "embeddings");
        var spans = new[] { await gateway.SpanAsync(plain), await gateway.SpanAsync(streamed) };

        Assert.All(spans, span => Assert.Equal(("Hello", "Hi 😀", 5, 2), (span.Input, span.Output, span.InputTokens, span.OutputTokens)));
        Assert.Equal(Response, plain.Text);
        Assert.Contains("response.completed", streamed.Text, StringComparison.Ordinal);
        Assert.Equal(2, vectors.Json.GetProperty("data").GetArrayLength());
        Assert.Equal("""{"vectors":2}""", (await gateway.SpanAsync(vectors)).Output);
    }

    const string Response =
        """{"id":"resp_1","object":"response","status":"completed","error":null,"model":"m","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"Hi \ud83d\ude00"}]}],"usage":{"input_tokens":5,"output_tokens":2}}""";

    [Theory]
    [InlineData("""{"messages":[]}""", 400, "invalid_request")]
    [InlineData("""{"model":5,"messages":[]}""", 400, "invalid_request")]
    [InlineData("""{"model":"m","model":"n","messages":[]}""", 400, "invalid_request")]
    [InlineData("""[]""", 400, "invalid_request")]
    [InlineData("""{"model":"m",""", 400, "malformed_json")]
    [InlineData("", 400, "malformed_json")]
    [InlineData("""{"model":"m","stream":"yes","messages":[]}""", 400, "invalid_request")]
    public async Task A_request_that_cannot_be_right_gets_an_error_in_the_clients_form(string body, int status, string code)
    {
        await using var gateway = await GatewayUnderTest.StartAsync();

        var answer = await gateway.PostAsync(body);

        Assert.Equal((status, code), (answer.Status, answer.ErrorCode));
        Assert.Empty(gateway.Provider.Requests);
    }

    [Fact]
    public async Task Without_a_provider_the_error_says_what_to_set()
    {
        await using var server = await RunningServer.StartAsync();

        var (status, body) = await server.PostAsync("/openai/v1/chat/completions", GatewayUnderTest.Chat("x"));

        Assert.Equal(404, status);
        Assert.Contains("Gateway:Providers", body.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_needs_the_right_to_spend_money()
    {
        await using var gateway = await GatewayUnderTest.StartAsync(settings: ("Auth", "keys"));
        gateway.Provider.Otherwise(_ => ModelReply.Says("ok"));
        var keys = new Dictionary<string, string>();
        foreach (var scope in Enum.GetValues<KeyScope>())
            keys[scope.ToString()] = await gateway.KeyAsync(scope);

        var statuses = new Dictionary<string, int> { ["none"] = (await gateway.PostAsync(GatewayUnderTest.Chat("x"))).Status };
        foreach (var (scope, secret) in keys)
            statuses[scope] = (await gateway.PostAsync(GatewayUnderTest.Chat("x"), headers: ("Authorization", "Bearer " + secret))).Status;

        Assert.Equal(new Dictionary<string, int> { ["none"] = 401, ["Ingest"] = 403, ["Read"] = 403, ["Admin"] = 200, ["Models"] = 200,
            ["Agent"] = 403 }, statuses);
        Assert.All(gateway.Provider.Requests, request =>
            Assert.Equal("Bearer " + GatewayUnderTest.ProviderKey, request.Headers["Authorization"]));
    }
}
