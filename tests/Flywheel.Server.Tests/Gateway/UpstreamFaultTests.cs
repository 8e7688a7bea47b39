using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Flywheel.TestServer;

namespace Flywheel.Server.Tests.Gateway;

/// <summary>Every way in which a provider fails, plain and streamed: the client is told, the span says it, nothing hangs.</summary>
public sealed class UpstreamFaultTests(UpstreamFaultTests.Gateway fixture) : IClassFixture<UpstreamFaultTests.Gateway>
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    static readonly string Piece = """data: {"id":"c","choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}""" + "\n\n";

    static readonly Dictionary<string, (ModelReply? Reply, string Model)> Faults = new()
    {
        ["429"] = (ModelReply.Fails(429, "7"), "m"),
        ["429 asking for a long pause by date"] = (ModelReply.Fails(429, "Fri, 31 Dec 2100 23:59:59 GMT"), "m"),
        ["500"] = (ModelReply.Fails(500), "m"),
        ["502 with a page"] = (ModelReply.Answers(502, "<html>Bad gateway</html>", "text/html"), "m"),
        ["503"] = (ModelReply.Fails(503, "3"), "m"),
        ["401 with our key in it"] = (ModelReply.Fails(401, message: "Incorrect API key provided: " + GatewayUnderTest.ProviderKey), "m"),
        ["400 with our key in it"] = (ModelReply.Fails(400, message: "Bad request by " + GatewayUnderTest.ProviderKey), "m"),
        ["404"] = (ModelReply.Fails(404, message: "no such model"), "m"),
        ["408"] = (ModelReply.Fails(408), "m"),
        ["redirect"] = (ModelReply.Answers(307, "", "text/plain", "http://127.0.0.1:9/elsewhere"), "m"),
        ["refused"] = (null, "refused/m"),
        ["untrusted TLS"] = (null, "tls/m"),
        ["silence"] = (ModelReply.Says("late").After(TimeSpan.FromSeconds(30)), "m"),
        ["reset"] = (ModelReply.Reset, "m"),
        ["slow loris"] = (ModelReply.Trickles(TimeSpan.FromMilliseconds(50)), "m"),
        ["slow loris in events"] = (ModelReply.Trickles(TimeSpan.FromMilliseconds(50), "text/event-stream"), "m"),
        ["cut"] = (ModelReply.CutAfter("all goes well until", 2), "m"),
        ["cut without a word"] = (ModelReply.Sends(Piece, "text/event-stream"), "m"),
        ["bad UTF-8"] = (ModelReply.SendsBytes([.. """{"choices":[{"message":{"content":" """u8, 0xC3, 0x28, .. "\"}}]}"u8]), "m"),
        ["bad UTF-8 in events"] = (
            ModelReply.SendsBytes(
                [.. Encoding.UTF8.GetBytes(Piece), .. """data: {"choices":[{"delta":{"content":" """u8, 0xC3, 0x28, .. "\"}}]}\n\n"u8],
                "text/event-stream"), "m"),
        ["malformed"] = (ModelReply.MalformedJson, "m"),
        ["malformed event"] = (ModelReply.Sends(Piece + "data: {\"choices\":[{\n\n", "text/event-stream"), "m"),
        ["deep"] = (ModelReply.Sends(string.Concat(Enumerable.Repeat("{\"a\":", 10_000)) + "1" + new string('}', 10_000)), "m"),
        ["deep event"] = (ModelReply.Sends(
            "data: " + string.Concat(Enumerable.Repeat("[", 10_000)) + new string(']', 10_000) + "\n\n", "text/event-stream"), "m"),
        ["huge"] = (ModelReply.Huge(3 * 1024 * 1024), "m"),
        ["wrong schema"] = (ModelReply.WrongSchema, "m"),
        ["wrong schema in an event"] = (ModelReply.Sends("data: {\"status\":\"ok\"}\n\n", "text/event-stream"), "m"),
        ["empty"] = (ModelReply.EmptyBody, "m"),
        ["empty stream"] = (ModelReply.Sends("", "text/event-stream"), "m"),
        ["200 with an error"] = (ModelReply.Sends("{\"error\":{\"message\":\"no credit for " + GatewayUnderTest.ProviderKey + "\"}}"), "m"),
        ["200 with an error event"] = (
            ModelReply.Sends("data: {\"error\":{\"message\":\"no credit for " + GatewayUnderTest.ProviderKey + "\"}}\n\n",
                "text/event-stream"), "m"),
        ["endless"] = (ModelReply.Endless, "m"),
    };

    /// <summary>Status and code of the answer; 200 with a code is an error event behind pieces that the client has seen already.</summary>
    public static TheoryData<string, bool, int, string> Expected()
    {
        var data = new TheoryData<string, bool, int, string>();
        foreach (var stream in new[] { false, true })
        {
            data.Add("429", stream, 429, "upstream_rate_limited");
            data.Add("429 asking for a long pause by date", stream, 429, "upstream_rate_limited");
            data.Add("500", stream, 500, "upstream_failed");
            data.Add("502 with a page", stream, 502, "upstream_failed");
            data.Add("503", stream, 503, "upstream_failed");
            data.Add("401 with our key in it", stream, 502, "upstream_refused_key");
            data.Add("400 with our key in it", stream, 400, "upstream_refused");
            data.Add("404", stream, 404, "upstream_refused");
            data.Add("408", stream, 408, "upstream_refused");
            data.Add("slow loris", stream, 504, "upstream_timeout");
            data.Add("200 with an error", stream, 502, "upstream_error");
            data.Add("redirect", stream, 502, "upstream_redirect");
            data.Add("refused", stream, 502, "upstream_unreachable");
            data.Add("untrusted TLS", stream, 502, "upstream_tls");
            data.Add("silence", stream, 504, "upstream_timeout");
            data.Add("reset", stream, 502, "upstream_broken");
            data.Add("huge", stream, 502, stream ? "upstream_malformed" : "upstream_too_large");
            data.Add("wrong schema", stream, 502, "upstream_malformed");
            data.Add("malformed", stream, 502, "upstream_malformed");
            data.Add("empty", stream, 502, "upstream_malformed");
            data.Add("deep", stream, 502, "upstream_malformed");
            data.Add("bad UTF-8", stream, 502, "upstream_malformed");
        }
        data.Add("slow loris in events", true, 504, "upstream_timeout");
        data.Add("cut", false, 502, "upstream_broken");
        data.Add("cut", true, 200, "upstream_broken");
        data.Add("cut without a word", true, 200, "upstream_broken");
        data.Add("bad UTF-8 in events", true, 200, "upstream_malformed");
        data.Add("malformed event", true, 200, "upstream_malformed");
        data.Add("deep event", true, 502, "upstream_malformed");
        data.Add("wrong schema in an event", true, 502, "upstream_malformed");
        data.Add("empty stream", true, 502, "upstream_malformed");
        data.Add("200 with an error event", true, 502, "upstream_error");
        data.Add("endless", true, 200, "upstream_too_large");
        data.Add("endless", false, 502, "upstream_too_large");
        return data;
    }

    [Theory]
    [MemberData(nameof(Expected))]
    public async Task The_client_and_the_span_say_what_happened(string fault, bool stream, int status, string code)
    {
        var gateway = fixture.It;
        var (reply, model) = Faults[fault];
        if (reply is not null)
            gateway.Provider.Then(reply);

        var answer = await gateway.PostAsync(GatewayUnderTest.Chat("x", model, stream))
            .WaitAsync(Patience, TestContext.Current.CancellationToken);
        var span = await gateway.SpanAsync(answer);

        Assert.Equal(status, answer.Status);
        Assert.StartsWith(code + ": ", span.Error, StringComparison.Ordinal);
        Assert.Equal(code, JsonElement.Parse(span.Attributes!).GetProperty("error.type").GetString());
        Assert.DoesNotContain(GatewayUnderTest.ProviderKey, answer.Text + span.Error + span.Attributes, StringComparison.Ordinal);
        if (status == 200)
        {
            Assert.Contains($"\"code\":\"{code}\"", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("[DONE]", answer.Text, StringComparison.Ordinal);
            Assert.NotEqual("", span.Output);
        }
        else
        {
            Assert.Equal(JsonValueKind.Object, answer.Json.GetProperty("error").ValueKind);
            Assert.Null(span.Output);
        }
        if (fault is "429" or "503")
            Assert.Equal(fault == "429" ? "7" : "3", answer.Headers["Retry-After"]);
    }

    [Fact]
    public async Task A_client_that_leaves_stops_the_provider_and_is_recorded_with_what_it_saw()
    {
        await using var gateway = await GatewayUnderTest.StartAsync();
        gateway.Provider.Then(ModelReply.Endless);
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/openai/v1/chat/completions")
        {
            Content = new StringContent(GatewayUnderTest.Chat("x", "leaver::m", stream: true), Encoding.UTF8, "application/json"),
        };
        var response = await gateway.Server.Http.SendAsync(
            request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var answer = new GatewayAnswer(
            200, "", response.Headers.ToDictionary(
                each => each.Key, each => string.Join(",", each.Value), StringComparer.OrdinalIgnoreCase));
        var stream = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        await stream.ReadExactlyAsync(new byte[200], TestContext.Current.CancellationToken);
        response.Dispose();

        Core.Traces.NewSpan? span = null;
        await Eventually.IsAsync(
            async () => (span = (await gateway.Server.Store.Spans.FindAsync(
                Core.Projects.ProjectId.Default, new(answer.Headers["x-flywheel-trace"], answer.Headers["x-flywheel-span"]),
                TestContext.Current.CancellationToken))?.Content) is not null,
            TestContext.Current.CancellationToken);

        Assert.NotNull(span);
        Assert.StartsWith("client_left", span.Error, StringComparison.Ordinal);
        Assert.Contains("more", span.Output, StringComparison.Ordinal);
        Assert.True(span.OutputTokens > 0 && span.CostUsd > 0);
        Assert.True(JsonElement.Parse(span.Attributes!).GetProperty("flywheel.usage_estimated").GetBoolean());
        await Eventually.IsAsync(() => gateway.Provider.Abandoned > 0, TestContext.Current.CancellationToken);
        Assert.Equal(1, gateway.Provider.Abandoned);
    }

    public sealed class Gateway : IAsyncLifetime
    {
        ModelTestServer _tls = null!;

        public GatewayUnderTest It { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            _tls = await ModelTestServer.StartAsync(tls: true);
            using var closed = new TcpListener(IPAddress.Loopback, 0);
            closed.Start();
            var port = ((IPEndPoint)closed.LocalEndpoint).Port;
            closed.Stop();
            It = await GatewayUnderTest.StartAsync(settings:
            [
                ("Gateway:Default", "test"), ("Gateway:max_reply_megabytes", "1"), ("Gateway:Providers:test:first_byte_seconds", "0.5"),
                ("Gateway:Providers:test:idle_seconds", "0.5"), ("Gateway:Providers:test:timeout_seconds", "6"),
                ("Gateway:Providers:tls:endpoint", _tls.OpenAI.ToString()),
                ("Gateway:Providers:refused:endpoint", $"http://127.0.0.1:{port}/v1"),
            ]);
            await It.PolicyAsync("chat", new { retries = 0 });
        }

        public async ValueTask DisposeAsync()
        {
            await It.DisposeAsync();
            await _tls.DisposeAsync();
        }
    }
}
