using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Flywheel.Server.Tests.Telemetry;

/// <summary>Sends what exporters send.</summary>
static class Otlp
{
    public const string Protobuf = "application/x-protobuf", Json = "application/json";

    static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<(int Status, byte[] Body, HttpResponseMessage Response)> SendAsync(
        HttpClient http, string path, byte[] body, string type, bool gzip = false, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(gzip ? Pack(body) : body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        if (gzip)
            request.Content.Headers.ContentEncoding.Add("gzip");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await http.SendAsync(request, Ct);
        return ((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync(Ct), response);
    }

    public static byte[] Pack(byte[] plain)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(plain);
        return packed.ToArray();
    }

    /// <summary>A unary call as gRPC frames it.</summary>
    public static async Task<(string? Status, byte[] Message, HttpResponseMessage Response)> CallAsync(
        HttpClient http, int port, string service, byte[] message, bool gzip = false, params (string Name, string Value)[] headers)
    {
        var payload = gzip ? Pack(message) : message;
        var frame = new byte[5 + payload.Length];
        frame[0] = gzip ? (byte)1 : (byte)0;
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), payload.Length);
        payload.CopyTo(frame, 5);
        using var request = new HttpRequestMessage(
            HttpMethod.Post, $"http://127.0.0.1:{port}/opentelemetry.proto.collector.{service}/Export")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = new ByteArrayContent(frame),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.ParseAdd("trailers");
        if (gzip)
            request.Headers.Add("grpc-encoding", "gzip");
        foreach (var (name, value) in headers)
            request.Headers.TryAddWithoutValidation(name, value);
        var response = await http.SendAsync(request, Ct);
        var body = await response.Content.ReadAsByteArrayAsync(Ct);
        var status = response.TrailingHeaders.TryGetValues("grpc-status", out var trailer) ? trailer.Single()
            : response.Headers.TryGetValues("grpc-status", out var head) ? head.Single() : null;
        return (status, body.Length >= 5 ? body[5..] : [], response);
    }

    /// <summary>One span in OTLP/JSON.</summary>
    public static object Span(
        string trace, string span, string name = "step", string? parent = null, params (string Key, object Value)[] attributes) => new
    {
        traceId = trace, spanId = span, parentSpanId = parent ?? "", name, kind = 1,
        startTimeUnixNano = "1764000000000000000", endTimeUnixNano = "1764000000012345678",
        attributes = attributes.Select(
            one => new { key = one.Key,
                value = one.Value is string text ? (object)new { stringValue = text } : new { intValue = one.Value.ToString() } }),
    };

    public static byte[] Request(params object[] spans) => JsonSerializer.SerializeToUtf8Bytes(new
    {
        resourceSpans = new[] { new { resource = new { attributes = Array.Empty<object>() },
            scopeSpans = new[] { new { scope = new { name = "test" }, spans } } } },
    });

    public static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
