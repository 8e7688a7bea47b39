using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Flywheel.Client;
using Flywheel.Client.Remote;
using Flywheel.Core.Labeling;
using Flywheel.Core.Guarding;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.TestServer;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Client;

public sealed class RemoteTests
{
    static CancellationToken Ct => TestContext.Current.CancellationToken;

    internal sealed record Seen(
        string Method, string Path, string? Authorization, string? Project, string? IdempotencyKey, JsonElement Body);

    /// <summary>A real HTTP server on a free loopback port that answers what the test says.</summary>
    internal sealed class Server : IAsyncDisposable
    {
        readonly HttpListener listener = new();
        readonly Task serving;

        public Server(Func<Seen, int, (int Status, string Body)> answer, TimeSpan? retryAfter = null)
        {
            // Another process may take the free port between our looking and our listening.
            for (var attempt = 0; ; attempt++)
            {
                using var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
                probe.Start();
                Address = new($"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/base");
                probe.Stop();
                listener.Prefixes.Clear();
                listener.Prefixes.Add($"http://127.0.0.1:{Address.Port}/");
                try
                {
                    listener.Start();
                    break;
                }
                catch (HttpListenerException) when (attempt < 5)
                {
                }
            }
            serving = ServeAsync(answer, retryAfter);
        }

        public Uri Address { get; }

        public ConcurrentQueue<Seen> Requests { get; } = new();

        async Task ServeAsync(Func<Seen, int, (int Status, string Body)> answer, TimeSpan? retryAfter)
        {
            while (listener.IsListening)
            {
                HttpListenerContext context;
                try
                {
                    context = await listener.GetContextAsync();
                }
                catch (Exception end) when (end is HttpListenerException or ObjectDisposedException)
                {
                    return;
                }
                using var reader = new StreamReader(context.Request.InputStream, Encoding.UTF8);
                var headers = context.Request.Headers;
                var seen = new Seen(
                    context.Request.HttpMethod, context.Request.Url!.AbsolutePath, headers["Authorization"], headers["x-flywheel-project"],
                    headers["Idempotency-Key"], JsonElement.Parse(await reader.ReadToEndAsync()));
                var (status, body) = answer(seen, Requests.Count);
                Requests.Enqueue(seen);
                try
                {
                    context.Response.StatusCode = status;
                    context.Response.ContentType = "application/json";
                    if (retryAfter is { } wait && status is (429 or 503))
                        context.Response.Headers["Retry-After"] = $"{wait.TotalSeconds:0}";
                    await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                    context.Response.Close();
                }
                catch (Exception gone) when (gone is HttpListenerException or ObjectDisposedException)
                {
                    // The client did not wait for the answer.
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            listener.Close();
            // HttpListener may leave a wait that begins while it closes hanging for ever.
            if (await Task.WhenAny(serving, Task.Delay(1_000)) == serving)
                await serving;
        }
    }

    static readonly NewSpan Full = new()
    {
        Key = new("trace-1", "span-1"), ParentId = "span-0", Node = "intent", Kind = NodeKind.Classifier, Input = "héllo",
        Output = "billing",
        StartedAt = new(2026, 1, 2, 3, 4, 5, 678, TimeSpan.FromHours(2)), DurationMs = 12.5, Session = "s", EndUser = "ada", Model = "m",
        InputTokens = 3, OutputTokens = 1, CostUsd = 0.25, Attributes = """{"a":{"b":[1]}}""",
        Demonstrations = [new("11111111-1111-7111-8111-111111111111")],
    };

    [Fact]
    public async Task Spans_go_out_in_the_servers_own_words()
    {
        await using var server = new Server((_, _) => (200, """{"accepted":2,"rejected":[]}"""));
        using var loop = new RemoteLoop(server.Address, "key-1", "shop");

        await loop.RecordAsync([Full, Spans.New()], Ct);

        var seen = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/base/api/v1/spans", "Bearer key-1", "shop"), (seen.Method, seen.Path, seen.Authorization, seen.Project));
        Assert.Equal(
            """
            {"trace_id":"trace-1","span_id":"span-1","parent_id":"span-0","node":"intent","kind":"classifier","input":"h\u00E9llo","output":"billing","started_at":"2026-01-02T01:04:05.678+00:00","duration_ms":12.5,"session":"s","end_user":"ada","model":"m","input_tokens":3,"output_tokens":1,"cost_usd":0.25,"attributes":{"a":{"b":[1]}},"demonstrations":["11111111-1111-7111-8111-111111111111"]}
            """,
            seen.Body.GetProperty("spans")[0].GetRawText());
        Assert.Equal(
            ["trace_id", "span_id", "node", "kind", "output", "started_at", "duration_ms"],
            seen.Body.GetProperty("spans")[1].EnumerateObject().Select(p => p.Name));
    }

    [Fact]
    public async Task Rejected_spans_come_back_by_name()
    {
        await using var server = new Server(
            (_, _) => (200, """{"accepted":1,"rejected":[{"index":1,"code":"invalid_node","message":"`node` is missing"}]}"""));
        using var loop = new RemoteLoop(server.Address);

        var refused = await Assert.ThrowsAsync<SpansRejectedException>(() => loop.RecordAsync([Full, Spans.New()], Ct));

        var one = Assert.Single(refused.Rejected);
        Assert.Equal(("s0", "invalid_node", "`node` is missing"), (one.Span.Key.Span, one.Code, one.Message));
        Assert.Null(Assert.Single(server.Requests).Authorization);
    }

    [Theory]
    [InlineData(200, "<html>welcome</html>", typeof(InvalidDataException))]
    [InlineData(200, "{}", typeof(InvalidDataException))]
    [InlineData(400, """{"code":"invalid_json","title":"Bad","detail":"line 1"}""", typeof(BatchRefusedException))]
    [InlineData(413, "", typeof(BatchRefusedException))]
    [InlineData(401, """{"code":"no_key"}""", typeof(HttpRequestException))]
    [InlineData(302, "", typeof(HttpRequestException))]
    [InlineData(500, "oops", typeof(HttpRequestException))]
    [InlineData(503, "[]", typeof(OverloadedException))]
    [InlineData(429, "", typeof(OverloadedException))]
    public async Task Only_a_receipt_is_an_acknowledgement(int status, string body, Type expected)
    {
        await using var server = new Server((_, _) => (status, body), TimeSpan.FromSeconds(7));
        using var loop = new RemoteLoop(server.Address);

        var failure = await Assert.ThrowsAsync(expected, () => loop.RecordAsync([Full], Ct));

        if (failure is OverloadedException overloaded)
            Assert.Equal(TimeSpan.FromSeconds(7), overloaded.RetryAfter);
        if (failure is BatchRefusedException { Code: "invalid_json" } refused)
            Assert.Contains("line 1", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Attributes_that_are_no_json_are_the_senders_mistake()
    {
        using var loop = new RemoteLoop(new("http://127.0.0.1:9"));

        await Assert.ThrowsAsync<ArgumentException>(() => loop.RecordAsync([Full with { Attributes = "{" }], Ct));
    }

    [Fact]
    public async Task Demonstrations_come_back_in_prompt_order_with_their_scores()
    {
        await using var server = new Server((_, _) => (200,
            """
            {"demonstrations":[
              {"id":"11111111-1111-7111-8111-111111111111","input":"far","output":"A","fixed":false,"score":0.2,"parts":{"similarity":0.2}},
              {"id":"22222222-2222-7222-8222-222222222222","input":"near","output":"B","fixed":true,"score":0.9,"parts":{"similarity":0.8,"recency":0.1}}],
             "took_ms":1}
            """));
        using var loop = new RemoteLoop(server.Address);

        var chosen = await loop.DemonstrateAsync(new("intent", "q", 2, "similar", "ada"), Ct);

        Assert.Equal("""{"node":"intent","input":"q","k":2,"strategy":"similar","end_user":"ada"}""",
            Assert.Single(server.Requests).Body.GetRawText());
        Assert.Equal(["far", "near"], chosen.Select(one => one.Input));
        Assert.Equal((true, 0.9, "B"), (chosen[1].IsFixed, chosen[1].Score, chosen[1].Output));
        Assert.Equal([new("similarity", 0.8), new("recency", 0.1)], chosen[1].Parts);
    }

    [Fact]
    public async Task The_guards_are_asked_and_their_answer_is_read()
    {
        await using var server = new Server((_, _) => (200, """
            {"decision":"redact","input":"pay [card]","milliseconds":1.5,"findings":[
                {"metric":"m","validator_version":"v","action":"redact","outcome":"fail","score":1,"confidence":null,"reason":"1 card",
                 "cost_usd":0,"model":null,"demonstrations":[],"spans":[{"type":"card","start":4,"end":20}]}]}
            """));
        using var loop = new RemoteLoop(server.Address);

        var answer = await loop.GuardAsync(new("n", NodeKind.Writer, "pay 4111111111111111", "ada", "s1", """{"tier":"gold"}"""), Ct);

        Assert.Equal(
            """{"node":"n","kind":"writer","input":"pay 4111111111111111","end_user":"ada","session":"s1","attributes":{"tier":"gold"}}""",
            Assert.Single(server.Requests).Body.GetRawText());
        Assert.Equal((GuardDecision.Redact, "pay [card]", 1.5), (answer.Decision, answer.Input, answer.Milliseconds));
        Assert.Equal(new FoundSpan(4, 16, "card"), Assert.Single(Assert.Single(answer.Findings).Redacts));
    }

    [Fact]
    public async Task A_whole_application_over_http_survives_a_server_that_comes_back()
    {
        await using var server = new Server((seen, nth) => seen.Path.EndsWith("search", StringComparison.Ordinal)
            ? (200, """{"demonstrations":[{"id":"11111111-1111-7111-8111-111111111111","input":"q","output":"a","fixed":false,"score":1,"parts":{}}]}""")
            : seen.Path.EndsWith("guard", StringComparison.Ordinal)
            ? (200, """{"decision":"allow","input":"hi","findings":[],"milliseconds":0}""")
            : nth < 8 ? (500, "down") : (200, $$"""{"accepted":{{seen.Body.GetProperty("spans").GetArrayLength()}},"rejected":[]}"""));
        using var loop = new RemoteLoop(server.Address);
        await using var connection = new FlywheelConnection(
            loop, new() { MaxDelay = TimeSpan.Zero, FirstRetry = TimeSpan.FromMilliseconds(1) });
        var model = new ScriptedChatClient("answer");
        var chat = model.UseFlywheel(connection, "n", configure: o => o.RetrievalDeadline = TimeSpan.FromSeconds(5));

        for (var i = 0; i < 3; i++)
            await chat.GetResponseAsync("hi", cancellationToken: Ct);
        await connection.FlushAsync(Ct).WaitAsync(Eventually.Limit, Ct);

        Assert.All(model.Prompts, prompt => Assert.Equal(3, prompt.Count));
        Assert.Equal((3, 0, 0), (connection.Statistics.Recorded, connection.Statistics.Dropped, connection.Statistics.FailedRetrievals));
        Assert.True(connection.Statistics.FailedSends >= 1);
    }

    [Fact]
    public async Task Feedback_labels_and_corrections_name_the_span_and_repeat_under_one_key()
    {
        await using var server = new Server((_, nth) => nth == 0 ? (500, "") : (201, """{"id":"33333333-3333-7333-8333-333333333333"}"""));
        using var api = new FlywheelApi(server.Address, "key-1");
        var span = new SpanKey("t", "s");

        var id = await api.FeedbackAsync(span.Trace, span.Span, "thumbs", true, comment: "nice", ct: Ct);
        await api.FeedbackAsync(span.Trace, null, "stars", 4.5, ct: Ct);
        await api.LabelAsync(span, "polite", passed: false, LabelMode.Blind, critique: "rude", author: "bo", ct: Ct);
        await api.CorrectAsync(
            span, "technical", wentWrong: "wrong team", reasoning: "it is a bug", author: "bo", idempotencyKey: "mine", ct: Ct);

        var seen = server.Requests.ToList();
        Assert.Equal(new Guid("33333333-3333-7333-8333-333333333333"), id);
        Assert.Equal(5, seen.Count);
        Assert.NotNull(seen[0].IdempotencyKey);
        Assert.Equal(seen[0].IdempotencyKey, seen[1].IdempotencyKey);
        Assert.NotEqual(seen[1].IdempotencyKey, seen[2].IdempotencyKey);
        Assert.Equal("mine", seen[4].IdempotencyKey);
        Assert.Equal(
            [
                """/base/api/v1/feedback {"trace_id":"t","span_id":"s","name":"thumbs","value":true,"comment":"nice"}""",
                """/base/api/v1/feedback {"trace_id":"t","name":"stars","value":4.5}""",
                """/base/api/v1/labels {"trace_id":"t","span_id":"s","metric":"polite","passed":false,"mode":"blind","critique":"rude","author":"bo"}""",
                """/base/api/v1/corrections {"trace_id":"t","span_id":"s","went_wrong":"wrong team","corrected_output":"technical","reasoning":"it is a bug","author":"bo"}""",
            ],
            seen.Skip(1).Select(one => one.Path + " " + one.Body.GetRawText()));
    }

    [Fact]
    public async Task What_a_person_decided_is_never_lost_unnoticed()
    {
        await using var server = new Server((_, _) => (422, """{"code":"unknown_metric","detail":"no metric `polite`"}"""));
        using var api = new FlywheelApi(server.Address);

        var refused = await Assert.ThrowsAsync<BatchRefusedException>(
            () => api.LabelAsync(new("t", "s"), "polite", true, LabelMode.Blind, ct: Ct));

        Assert.Equal("unknown_metric", refused.Code);
        Assert.Single(server.Requests);
        Assert.Throws<ArgumentOutOfRangeException>(() => FeedbackValue.Of(double.NaN));
        await Assert.ThrowsAsync<ArgumentException>(() => api.FeedbackAsync("t", null, "n", default, ct: Ct));
    }

    sealed class Silent : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken);
            return new();
        }
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_a_failure_and_a_cancellation_stays_one()
    {
        using var http = new HttpClient(new Silent()) { Timeout = TimeSpan.FromMilliseconds(50) };
        using var patient = new HttpClient(new Silent());
        using var stop = new CancellationTokenSource(50);
        using var loop = new RemoteLoop(new("http://127.0.0.1:9"), http: http);
        using var other = new RemoteLoop(new("http://127.0.0.1:9"), http: patient);

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => loop.RecordAsync([Full], Ct));
        Assert.Equal(HttpStatusCode.RequestTimeout, failure.StatusCode);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other.RecordAsync([Full], stop.Token));
    }

    [Theory]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("relative")]
    public void A_server_needs_an_http_address(string address) =>
        Assert.Throws<ArgumentException>(() => new RemoteLoop(new(address, UriKind.RelativeOrAbsolute)));
}
