using System.Text;
using System.Text.Json;
using Flywheel.Core.Projects;

namespace Flywheel.Server.Tests.Telemetry;

public sealed class OtlpRouteTests
{
    const string Trace = "0af7651916cd43dd8448eb211c80319c";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_bad_span_never_takes_its_batch_along()
    {
        await using var server = await RunningServer.StartAsync();
        var request = Otlp.Request(
            Otlp.Span(Trace, "00f067aa0ba902b7"), Otlp.Span(Trace, "not hex"), Otlp.Span(Trace, "0000000000000000"),
            Otlp.Span(Trace, "00f067aa0ba902b8", attributes: [("input.value", "a\0b")]), Otlp.Span(Trace, "00f067aa0ba902b9"));

        var (status, body, response) = await Otlp.SendAsync(server.Http, "/v1/traces", request, Otlp.Json);

        var partial = JsonDocument.Parse(body).RootElement.GetProperty("partialSuccess");
        Assert.Equal((200, "3", Otlp.Json),
            (status, partial.GetProperty("rejectedSpans").GetString(), response.Content.Headers.ContentType!.MediaType));
        Assert.Contains("spanId", partial.GetProperty("errorMessage").GetString());
        Assert.Equal(2, await server.Store.Spans.CountAsync(ProjectId.Default, Ct));
    }

    [Fact]
    public async Task A_span_that_is_broken_in_protobuf_is_left_out_alone()
    {
        await using var server = await RunningServer.StartAsync();
        var good = Span(Convert.FromHexString(Trace), [1, 2, 3, 4, 5, 6, 7, 8]);
        byte[] request = Field(1, Field(2, [.. Field(2, good), .. Field(2, [0x0A, 0x7F, 1]), .. Field(2, [.. good, .. Field(9, [0xFF])])]));

        var (status, body, _) = await Otlp.SendAsync(server.Http, "/v1/traces", request, Otlp.Protobuf);

        Assert.Equal(200, status);
        // partial_success { rejected_spans: 2 … }
        Assert.Equal([0x0A, 0x08, 0x02], [body[0], body[2], body[3]]);
        Assert.Equal(1, await server.Store.Spans.CountAsync(ProjectId.Default, Ct));

        static byte[] Span(byte[] trace, byte[] id) =>
            [.. Field(1, trace), .. Field(2, id), .. Field(5, "step"u8.ToArray()), 7 << 3 | 1,
                .. BitConverter.GetBytes(1764000000000000000ul)];
        static byte[] Field(int number, byte[] content) => content.Length < 128
            ? [(byte)(number << 3 | 2), (byte)content.Length, .. content]
            : [(byte)(number << 3 | 2), (byte)(content.Length & 0x7F | 0x80), (byte)(content.Length >> 7), .. content];
    }

    [Theory]
    [InlineData(Otlp.Protobuf, "no protobuf at all")]
    [InlineData(Otlp.Json, "{\"resourceSpans\":")]
    [InlineData(Otlp.Json, "[]")]
    public async Task What_is_no_request_is_refused_in_its_encoding(string type, string text)
    {
        await using var server = await RunningServer.StartAsync();

        var (status, body, response) = await Otlp.SendAsync(server.Http, "/v1/traces", Encoding.UTF8.GetBytes(text), type);

        Assert.Equal((400, type), (status, response.Content.Headers.ContentType!.MediaType));
        Assert.Contains("The body is", Encoding.UTF8.GetString(body));
    }

    [Theory]
    [InlineData(40)]
    [InlineData(256)]
    public async Task A_bomb_is_let_go_at_the_limit(int megabytes)
    {
        await using var server = await RunningServer.StartAsync();
        using var packed = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true))
            for (var i = 0; i < megabytes; i++)
                gzip.Write(new byte[1024 * 1024]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/traces") { Content = new ByteArrayContent(packed.ToArray()) };
        request.Content.Headers.ContentType = new(Otlp.Protobuf);
        request.Content.Headers.ContentEncoding.Add("gzip");

        using var response = await server.Http.SendAsync(request, Ct);

        Assert.Equal(413, (int)response.StatusCode);
    }

    [Fact]
    public async Task Attributes_are_data_whatever_their_names()
    {
        await using var server = await RunningServer.StartAsync();
        var request = Otlp.Request(Otlp.Span(Trace, "00f067aa0ba902b7", attributes:
            [("__proto__", "x"), ("constructor.prototype", "y"), ("my.own", "z"), ("my.own", "last"), (new string('k', 65_536), "long"),
                ("session.id", new string('s', 500))]));

        var (status, _, _) = await Otlp.SendAsync(server.Http, "/v1/traces", request, Otlp.Json);

        Assert.Equal(200, status);
        var span = (await server.Store.Spans.AfterAsync(ProjectId.Default, new(0), null, 10, Ct)).Single().Content;
        var kept = JsonDocument.Parse(span.Attributes!).RootElement;
        Assert.Equal(("x", "y", "last"),
            (kept.GetProperty("__proto__").GetString(), kept.GetProperty("constructor.prototype").GetString(),
                kept.GetProperty("my.own").GetString()));
        Assert.Equal("long", kept.GetProperty(new string('k', 65_536)).GetString());
        // A name too long for its column stays an attribute, and does not cost the span.
        Assert.Null(span.Session);
        Assert.Equal(500, kept.GetProperty("session.id").GetString()!.Length);
    }

    [Fact]
    public async Task Nodes_are_named_by_the_graph_else_by_agent_prompt_or_operation()
    {
        await using var server = await RunningServer.StartAsync();
        var request = Otlp.Request(
            Otlp.Span(Trace, "0000000000000001", "chat m", null, ("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m"),
                ("graph.node.name", "route"), ("gen_ai.agent.name", "a")),
            Otlp.Span(Trace, "0000000000000002", "chat m", null, ("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m"),
                ("gen_ai.agent.name", "planner")),
            Otlp.Span(Trace, "0000000000000003", "chat m", null, ("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m"),
                ("gen_ai.prompt.name", "greet")),
            Otlp.Span(Trace, "0000000000000004", "chat m", null, ("gen_ai.operation.name", "chat"), ("gen_ai.request.model", "m")),
            Otlp.Span(Trace, "0000000000000005", "GET /", null, ("user.id", "ada"), ("session.id", "s1"), ("flywheel.kind", "classifier")));

        await Otlp.SendAsync(server.Http, "/v1/traces", request, Otlp.Json);

        var spans = (await server.Store.Spans.AfterAsync(ProjectId.Default, new(0), null, 10, Ct)).Select(span => span.Content).ToArray();
        Assert.Equal(["route", "planner", "greet", "chat", "GET /"], spans.Select(span => span.Node));
        Assert.Equal(("ada", "s1", Core.Traces.NodeKind.Classifier), (spans[4].EndUser, spans[4].Session, spans[4].Kind));
        Assert.Equal(12.345678, spans[4].DurationMs, 6);
    }

    [Fact]
    public async Task Keys_come_as_bearer_or_x_api_key_and_name_the_project()
    {
        await using var server = await RunningServer.StartAsync(("Auth", "keys"));
        var project = await server.Store.Projects.EnsureAsync("other", DateTimeOffset.UtcNow, Ct);
        foreach (var (secret, scope) in new[] { ("fw_ingest", KeyScope.Ingest), ("fw_read", KeyScope.Read) })
            await server.Store.Projects.AddKeyAsync(
                new(Guid.CreateVersion7(), project.Id, scope.ToString(), secret, scope, DateTimeOffset.UtcNow, null, null),
                KeySecret.HashOf(secret), Ct);
        async Task<int> StatusAsync(string span, params (string, string)[] headers) =>
            (await Otlp.SendAsync(server.Http, "/v1/traces", Otlp.Request(Otlp.Span(Trace, span)), Otlp.Json, gzip: false, headers)).Status;

        Assert.Equal(401, await StatusAsync("0000000000000001"));
        Assert.Equal(401, await StatusAsync("0000000000000002", ("x-api-key", "fw_wrong")));
        Assert.Equal(403, await StatusAsync("0000000000000003", ("x-api-key", "fw_read")));
        Assert.Equal(200, await StatusAsync("0000000000000004", ("x-api-key", "fw_ingest")));
        Assert.Equal(200, await StatusAsync("0000000000000005", ("Authorization", "Bearer fw_ingest")));
        Assert.Equal((2, 0), (
            await server.Store.Spans.CountAsync(project.Id, Ct), await server.Store.Spans.CountAsync(ProjectId.Default, Ct)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Grpc_takes_the_same_requests_on_its_own_port(bool gzip)
    {
        var (httpPort, grpcPort) = (Otlp.FreePort(), Otlp.FreePort());
        await using var server = await RunningServer.StartAsync(("otlp_http_port", $"{httpPort}"), ("otlp_grpc_port", $"{grpcPort}"));
        using var http = new HttpClient();
        var traces = TelemetryData.Read("otlp/dotnet_meai-10.11.0.traces.pb");

        var (status, message, response) = await Otlp.CallAsync(http, grpcPort, "trace.v1.TraceService", traces, gzip);
        var broken = await Otlp.CallAsync(http, grpcPort, "trace.v1.TraceService", [1, 2, 3], gzip);
        var metrics = await Otlp.CallAsync(http, grpcPort, "metrics.v1.MetricsService", [], gzip);
        var onHttp = await Otlp.SendAsync(http, $"http://127.0.0.1:{httpPort}/v1/traces", traces, Otlp.Protobuf);
        var api = await http.GetAsync($"http://127.0.0.1:{httpPort}/api/v1/traces", Ct);

        Assert.Equal(("0", 0, "application/grpc"), (status, message.Length, response.Content.Headers.ContentType!.MediaType));
        Assert.Equal(("3", "12", 200, 404), (broken.Status, metrics.Status, onHttp.Status, (int)api.StatusCode));
        Assert.Equal(10, await server.Store.Spans.CountAsync(ProjectId.Default, Ct));
    }

    [Fact]
    public async Task Without_a_key_grpc_says_unauthenticated()
    {
        var port = Otlp.FreePort();
        await using var server = await RunningServer.StartAsync(("otlp_grpc_port", $"{port}"), ("Auth", "keys"));
        using var http = new HttpClient();

        var (status, _, _) = await Otlp.CallAsync(http, port, "trace.v1.TraceService", []);

        Assert.Equal("16", status);
    }

    [Fact]
    public void The_usual_ports_are_never_opened_without_being_asked_for() =>
        Assert.Equal((0, 0), (new Hosting.ServerOptions().OtlpHttpPort, new Hosting.ServerOptions().OtlpGrpcPort));
}
