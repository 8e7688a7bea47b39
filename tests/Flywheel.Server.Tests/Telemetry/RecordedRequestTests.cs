using System.Text.Json;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>Requests that real client libraries sent, in both encodings: the same content comes out, to the byte.</summary>
public sealed class RecordedRequestTests
{
    const string Classify = "Classify: billing|technical|general", Charged = "Why was I charged twice in May?",
        Plan = "Your charge for May was a pro-rated plan change.", Find = "Find the invoice amount of customer 42",
        Calls = """[{"name":"run_sql","arguments":{"sql":"SELECT amount FROM invoices WHERE customer_id = 42"}}]""";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pb")]
    [InlineData("json")]
    public async Task Traceloop(string encoding)
    {
        var spans = await StoredAsync("openai-js_traceloop-0.27.0.traces", encoding);

        Assert.Equal(5, spans.Count);
        AssertCall(spans[0], Charged, Plan + " (echo 31 chars)", "gpt-4.1-mini-2025-04-14", 19, 17);
        AssertMessages(spans[0], ("system", Classify), ("user", Charged));
        AssertCall(spans[1], "Write the answer", Plan + " (echo 16 chars)", "gpt-4.1-2025-04-14", null, null);
        AssertCall(spans[2], Find, Calls, "gpt-4.1-mini-2025-04-14", 21, 17);
        AssertCall(spans[3], Charged, Plan, "gpt-4.1-mini", 30, 12);
        Assert.Equal("run_sql",
            Attributes(spans[2]).GetProperty("gen_ai.tool.definitions")[0].GetProperty("function").GetProperty("name").GetString());
        AssertRoot(spans);
    }

    [Theory]
    [InlineData("pb")]
    [InlineData("json")]
    public async Task OpenInference(string encoding)
    {
        var spans = await StoredAsync("openai-js_openinference-4.2.7.traces", encoding);

        Assert.Equal(6, spans.Count);
        AssertCall(spans[0], Charged, Plan + " (echo 31 chars)", "gpt-4.1-mini-2025-04-14", 19, 17);
        AssertMessages(spans[0], ("system", Classify), ("user", Charged));
        AssertCall(spans[1], "Write the answer", Plan + " (echo 16 chars)", "gpt-4.1", null, null);
        AssertCall(spans[2], Find, Calls, "gpt-4.1-mini-2025-04-14", 21, 17);
        Assert.Equal((Charged, NodeKind.Other, "text-embedding-3-small"), (spans[3].Input, spans[3].Kind, spans[3].Model));
        AssertCall(spans[4], Charged, Plan, "gpt-4.1-mini", 30, 12);
        Assert.Equal("openai", Attributes(spans[0]).GetProperty("gen_ai.provider.name").GetString());
        Assert.False(Attributes(spans[0]).TryGetProperty("llm.input_messages.0.message.content", out _));
        // What is no message of ours stays under its own name.
        Assert.Equal(16, Attributes(spans[3]).GetProperty("embedding.embeddings.0.embedding.vector").GetArrayLength());
        AssertRoot(spans);
    }

    [Theory]
    [InlineData("pb")]
    [InlineData("json")]
    public async Task Vercel_ai(string encoding)
    {
        var spans = await StoredAsync("vercel-ai-7.0.173.traces", encoding);

        AssertCall(spans[0], Charged, Plan + " (echo 31 chars)", "gpt-4.1-mini-2025-04-14", 19, 17);
        Assert.Equal(Classify, Attributes(spans[0]).GetProperty("gen_ai.system_instructions")[0].GetProperty("content").GetString());
        var agent = spans.Single(span => span.Node == "classify-intent");
        Assert.Equal((Charged, Plan + " (echo 31 chars)", NodeKind.Other), (agent.Input, agent.Output, agent.Kind));
        Assert.Null(agent.CostUsd);
        Assert.Contains(spans, span => span is { Node: "run_sql", Kind: NodeKind.Tool });
        Assert.Contains(spans, span => span.Input == Find && span.Output == Calls);
        AssertRoot(spans);
    }

    [Theory]
    [InlineData("pb")]
    [InlineData("json")]
    public async Task Microsoft_extensions_ai(string encoding)
    {
        var spans = await StoredAsync("dotnet_meai-10.11.0.traces", encoding);

        AssertCall(spans[0], Charged, Plan + " (echo 31 chars)", "gpt-4.1-mini-2025-04-14", 19, 17);
        AssertMessages(spans[0], ("system", Classify), ("user", Charged));
        AssertCall(spans[1], "Write the answer, streaming", Plan + " (echo 27 chars)", "gpt-4.1-mini-2025-04-14", 18, 17);
        Assert.Equal("""{"verdict":true,"reason":"polite and on topic"}""", spans[2].Output);
        Assert.Equal("stop", Attributes(spans[0]).GetProperty("gen_ai.response.finish_reasons")[0].GetString());
        var tool = Assert.Single(spans, span => span.Kind == NodeKind.Tool);
        Assert.Equal(("run_sql", "\"42.00\""), (tool.Node, tool.Output));
        Assert.Contains("SELECT amount FROM invoices", tool.Input);
        Assert.Equal(0.4 * 19 / 1e6 + 1.6 * 17 / 1e6, spans[0].CostUsd!.Value, 12);
        AssertRoot(spans);
    }

    [Theory]
    [InlineData("pb", false)]
    [InlineData("json", false)]
    [InlineData("pb", true)]
    [InlineData("json", true)]
    public async Task OpenTelemetry_contrib_whose_texts_come_as_logs(string encoding, bool logsFirst)
    {
        await using var server = await RunningServer.StartAsync();
        // A metric that is decided by the text: before it came there is nothing to pass.
        var (created, _) = await server.PostAsync(
            "/api/v1/metrics", new { name = "says_plan", criterion = "Speaks of the plan?",
                validator = new { kind = "contains", text = "plan" } });
        Assert.Equal(201, created);
        var traces = () => SendAsync(server, "/v1/traces", "openai-js_otel-contrib-0.22.0.traces", encoding);
        var logs = () => SendAsync(server, "/v1/logs", "openai-js_otel-contrib-0.22.0.logs", "json");
        foreach (var send in logsFirst ? new[] { logs, traces } : [traces, logs])
        {
            await send();
            await server.EventuallyAsync("/api/v1/jobs", body => body.GetProperty("jobs").GetArrayLength() == 0);
        }
        // Both again, as a sender does that missed the answer.
        await traces();
        await logs();

        await Eventually.IsAsync(async () => (await SpansAsync(server))[0].Output is not null, Ct);
        var spans = await SpansAsync(server);
        AssertCall(spans[0], Charged, Plan + " (echo 31 chars)", "gpt-4.1-mini-2025-04-14", 19, 17);
        AssertMessages(spans[0], ("system", Classify), ("user", Charged));
        AssertCall(spans[1], "Write the answer", Plan + " (echo 16 chars)", "gpt-4.1-2025-04-14", 16, 17);
        AssertCall(spans[2], Find, Calls, "gpt-4.1-mini-2025-04-14", 21, 17);
        Assert.Null(spans[3].Input);
        AssertCall(spans[4], Charged, Plan, "gpt-4.1-mini", 30, 12);
        var trace = spans[0].Key.Trace;
        await server.EventuallyAsync("/api/v1/traces/" + trace, body => body.GetProperty("spans").EnumerateArray().First(
            span => span.GetProperty("span_id").GetString() == spans[0].Key.Span).GetProperty("verdicts").EnumerateArray()
            .Any(verdict => verdict.GetProperty("outcome").GetString() == "pass"));
        AssertRoot(spans);
    }

    [Fact]
    public async Task Thirteen_frameworks_lose_no_span_and_their_model_calls_have_texts()
    {
        await using var server = await RunningServer.StartAsync();
        var sent = 0;
        foreach (var file in Directory.GetFiles(TelemetryData.Find("otel_traces"), "*.otlp.json"))
        {
            var body = File.ReadAllBytes(file);
            sent += JsonDocument.Parse(body).RootElement.GetProperty("resourceSpans").EnumerateArray()
                .SelectMany(resource => resource.GetProperty("scopeSpans").EnumerateArray())
                .Sum(scope => scope.GetProperty("spans").GetArrayLength());
            var (status, reply, _) = await Otlp.SendAsync(server.Http, "/v1/traces", body, Otlp.Json);
            Assert.Equal((200, "{}"), (status, System.Text.Encoding.UTF8.GetString(reply)));
        }

        var spans = await SpansAsync(server);

        Assert.Equal(77, sent);
        Assert.Equal(sent, spans.Count);
        var calls = spans.Where(span => span.Kind == NodeKind.Writer).ToArray();
        Assert.True(calls.Length >= 15, $"{calls.Length} model calls");
        // Some are steps of a call that carry one side only: what was sent of either side is there.
        Assert.All(calls, call =>
            Assert.True(call.Input is { Length: > 0 }
                || !call.Attributes!.Contains("\"langfuse.observation.input\"", StringComparison.Ordinal),
                $"{call.Node}: {call.Attributes}"));
        Assert.All(calls, call =>
            Assert.True(call.Output is { Length: > 0 }
                || !call.Attributes!.Contains("\"langfuse.observation.output\"", StringComparison.Ordinal),
                $"{call.Node}: {call.Attributes}"));
        Assert.True(calls.Count(call => call is { Input.Length: > 0, Output.Length: > 0 }) >= 18);
        Assert.Contains(spans, span =>
            span is { Node: "get_weather", Kind: NodeKind.Tool, Input: """{"city":"Tokyo"}""", Output: "The weather in Tokyo is sunny." });
    }

    static async Task<List<NewSpan>> StoredAsync(string stem, string encoding)
    {
        await using var server = await RunningServer.StartAsync();
        await SendAsync(server, "/v1/traces", stem, encoding);
        return await SpansAsync(server);
    }

    static async Task SendAsync(RunningServer server, string path, string stem, string encoding)
    {
        var (status, body, _) = await Otlp.SendAsync(
            server.Http, path, TelemetryData.Read($"otlp/{stem}.{encoding}"), encoding == "pb" ? Otlp.Protobuf : Otlp.Json,
            gzip: encoding == "pb");
        Assert.Equal(200, status);
        Assert.Equal(encoding == "pb" ? "" : "{}", System.Text.Encoding.UTF8.GetString(body));
    }

    static async Task<List<NewSpan>> SpansAsync(RunningServer server) =>
        [.. (await server.Store.Spans.AfterAsync(ProjectId.Default, new(0), null, 1_000, Ct)).Select(span => span.Content)];

    static void AssertCall(NewSpan span, string input, string output, string model, int? tokensIn, int? tokensOut) =>
        Assert.Equal((input, output, model, tokensIn, tokensOut, NodeKind.Writer, "chat"),
            (span.Input, span.Output, span.Model, span.InputTokens, span.OutputTokens, span.Kind,
                Attributes(span).GetProperty("gen_ai.operation.name").GetString()));

    static void AssertMessages(NewSpan span, params (string Role, string Text)[] expected) => Assert.Equal(
        expected,
        Attributes(span).GetProperty("gen_ai.input.messages").EnumerateArray().Select(message => (
            message.GetProperty("role").GetString()!, message.GetProperty("parts")[0].GetProperty("content").GetString()!)));

    static void AssertRoot(List<NewSpan> spans)
    {
        var root = Assert.Single(spans, span => span.ParentId is null);
        Assert.Equal(("support-chat", NodeKind.Other), (root.Node, root.Kind));
        Assert.Contains("sample", Attributes(root).GetProperty("otel.resource").GetProperty("service.name").GetString());
        Assert.Equal("sample.pipeline", Attributes(root).GetProperty("otel.scope.name").GetString());
    }

    static JsonElement Attributes(NewSpan span) => JsonDocument.Parse(span.Attributes!).RootElement;
}
