using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Flywheel.TestServer;

/// <summary>
/// A model provider on 127.0.0.1 that says what a test scripts: OpenAI's chat completions and embeddings, Anthropic's
/// messages, plain and streamed, and their faults.
/// </summary>
/// <remarks>
/// A request is answered by the first rule that fits (<see cref="When"/>), else by the next reply in the queue
/// (<see cref="Then"/>), else by <see cref="Otherwise"/>; embeddings that nothing fits get vectors made from their
/// texts, anything else a 501 that says so. Thread-safe.
/// </remarks>
public sealed class ModelTestServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<ModelRequest> _requests = [];
    private readonly ConcurrentQueue<ModelReply> _queue = [];
    private readonly ConcurrentQueue<(Func<ModelRequest, bool> Fits, Func<ModelRequest, ModelReply> Reply)> _rules = [];
    private Func<ModelRequest, ModelReply>? _otherwise;
    private int _abandoned;

    private ModelTestServer(WebApplication app) => _app = app;

    /// <summary>Where it listens, without a path: Anthropic's base URL.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>OpenAI's base URL, with `/v1`.</summary>
    public Uri OpenAI => new(Address, "v1");

    /// <summary>In order of arrival.</summary>
    public IReadOnlyList<ModelRequest> Requests => [.. _requests];

    /// <summary>Requests whose client hung up before the reply was whole.</summary>
    public int Abandoned => Volatile.Read(ref _abandoned);

    /// <summary>Dimensions of the vectors that embeddings get when nothing is scripted.</summary>
    public int Dimensions { get; set; } = 8;

    /// <param name="tls">Serve HTTPS with a certificate that nobody trusts.</param>
    public static async Task<ModelTestServer> StartAsync(bool tls = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (tls)
                    listen.UseHttps(Untrusted());
            });
        });
        var app = builder.Build();
        var server = new ModelTestServer(app);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    /// <summary>Adds replies to the queue; each is used once.</summary>
    public ModelTestServer Then(params ModelReply[] replies)
    {
        foreach (var reply in replies)
            _queue.Enqueue(reply);
        return this;
    }

    /// <summary>Adds a rule, used as often as it fits.</summary>
    public ModelTestServer When(Func<ModelRequest, bool> fits, Func<ModelRequest, ModelReply> reply)
    {
        _rules.Enqueue((fits, reply));
        return this;
    }

    /// <summary>What is done when no rule fits and the queue is empty.</summary>
    public ModelTestServer Otherwise(Func<ModelRequest, ModelReply> reply)
    {
        _otherwise = reply;
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _app.StopAsync(soon.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = await ReadAsync(context.Request);
        _requests.Enqueue(request);
        try
        {
            await SendAsync(context, request, Choose(request));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client hung up: what a slow or endless reply is for.
            Interlocked.Increment(ref _abandoned);
        }
    }

    private ModelReply Choose(ModelRequest request)
    {
        foreach (var (fits, reply) in _rules)
            if (fits(request))
                return reply(request);
        if (_queue.TryDequeue(out var next))
            return next;
        if (_otherwise is not null)
            return _otherwise(request);
        return request.Path == "/v1/embeddings"
            ? ModelReply.Embeds([.. request.Inputs.Select(Vector)])
            : ModelReply.Fails(501, message: $"the test scripted no reply for {request.Path}");
    }

    private static async Task SendAsync(HttpContext context, ModelRequest request, ModelReply reply)
    {
        var format = WireFormat.Of(request.Path);
        var response = context.Response;
        var ct = context.RequestAborted;
        switch (reply)
        {
            case ModelReply.Slow slow:
                await Task.Delay(slow.Wait, ct);
                await SendAsync(context, request, slow.Then);
                break;
            case ModelReply.Failure failure:
                response.StatusCode = failure.Status;
                if (failure.RetryAfter is not null)
                    response.Headers.RetryAfter = failure.RetryAfter;
                await WriteAsync(response,
                    (format ?? WireFormat.Of("/v1/chat/completions")!).Error(failure.Status, failure.Message).ToJsonString(), ct);
                break;
            case ModelReply.Raw raw:
                await WriteAsync(response, raw.Body, ct, raw.ContentType);
                break;
            case ModelReply.RawBytes bytes:
                response.ContentType = bytes.ContentType;
                await response.Body.WriteAsync(bytes.Body, ct);
                break;
            case ModelReply.Page page:
                response.StatusCode = page.Status;
                if (page.Location is not null)
                    response.Headers.Location = page.Location;
                await WriteAsync(response, page.Body, ct, page.ContentType);
                break;
            case ModelReply.Trickle trickle:
                response.ContentType = trickle.ContentType;
                while (true)
                {
                    await response.WriteAsync(" ", ct);
                    await response.Body.FlushAsync(ct);
                    await Task.Delay(trickle.Pause, ct);
                }
            case ModelReply.Vectors vectors:
                await WriteAsync(response, Embeddings(request, vectors.Values), ct);
                break;
            case ModelReply.Broken broken:
                await BreakAsync(context, request, format, broken);
                break;
            case ModelReply.Answer answer when format is not null:
                await (request.Stream
                    ? StreamAsync(response, format.Stream(request, answer), ct)
                    : WriteAsync(response, format.Answer(request, answer).ToJsonString(), ct));
                break;
            case ModelReply.ToolCall call when format is not null:
                await (request.Stream
                    ? StreamAsync(response, format.Stream(request, call), ct)
                    : WriteAsync(response, format.Answer(request, call).ToJsonString(), ct));
                break;
            case ModelReply.HugeAnswer huge when format is not null:
                await HugeAsync(response, format.Answer(request, new ModelReply.Answer("@", 1, 1)).ToJsonString(), huge.Bytes, ct);
                break;
            case ModelReply.EndlessStream when format is not null:
                await StreamAsync(response, EndlessEvents(format, request), ct);
                break;
            default:
                response.StatusCode = 404;
                await WriteAsync(response,
                    WireFormat.Of("/v1/chat/completions")!.Error(404, $"{request.Path} is not served here").ToJsonString(), ct);
                break;
        }
    }

    private static async Task BreakAsync(HttpContext context, ModelRequest request, WireFormat? format, ModelReply.Broken broken)
    {
        if (broken.Pieces > 0 && format is not null)
        {
            var answer = new ModelReply.Answer(broken.Text, 7, 3);
            if (request.Stream)
            {
                // The first event opens the message and carries no text; Anthropic's takes two.
                var opening = request.Path == "/v1/messages" ? 2 : 1;
                await StreamAsync(context.Response, format.Stream(request, answer).Take(opening + broken.Pieces), context.RequestAborted);
            }
            else
            {
                var body = format.Answer(request, answer).ToJsonString();
                context.Response.ContentLength = body.Length;
                await WriteAsync(context.Response, body[..(body.Length / 2)], context.RequestAborted);
            }

            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Delay(50, context.RequestAborted);
        }

        context.Abort();
    }

    private static async Task StreamAsync(HttpResponse response, IEnumerable<string> events, CancellationToken ct)
    {
        response.ContentType = "text/event-stream";
        foreach (var one in events)
        {
            await response.WriteAsync(one, ct);
            await response.Body.FlushAsync(ct);
        }
    }

    private static async Task HugeAsync(HttpResponse response, string answer, long bytes, CancellationToken ct)
    {
        response.ContentType = "application/json";
        var parts = answer.Split('@');
        await response.WriteAsync(parts[0], ct);
        var block = new string('x', 64 * 1024);
        for (var sent = 0L; sent < bytes; sent += block.Length)
            await response.WriteAsync(block, ct);
        await response.WriteAsync(parts[1], ct);
    }

    private static IEnumerable<string> EndlessEvents(WireFormat format, ModelRequest request)
    {
        var answer = format.Stream(request, new ModelReply.Answer("more and", 1, 1)).ToList();
        var text = answer.FindIndex(one => one.Contains("more", StringComparison.Ordinal));
        foreach (var one in answer.Take(text))
            yield return one;
        while (true)
            yield return answer[text];
    }

    private static Task WriteAsync(HttpResponse response, string body, CancellationToken ct, string contentType = "application/json")
    {
        response.ContentType = contentType;
        return response.WriteAsync(body, ct);
    }

    private static async Task<ModelRequest> ReadAsync(HttpRequest request)
    {
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body);
        JsonElement json = default;
        try
        {
            json = JsonElement.Parse(body.ToArray());
        }
        catch (JsonException)
        {
            // Recorded as no JSON; what to answer is the test's business.
        }

        var headers = request.Headers.ToDictionary(
            header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        return new(request.Path.Value ?? "", headers, json, DateTimeOffset.UtcNow);
    }

    // OpenAI's client asks for base64 of little-endian floats; others for arrays.
    private static string Embeddings(ModelRequest request, float[][] vectors)
    {
        var base64 = request.Body.TryGetProperty("encoding_format", out var wanted) && wanted.GetString() == "base64";
        return JsonSerializer.Serialize(new
        {
            @object = "list",
            model = request.Model,
            data = vectors.Select((vector, index) => new
            {
                @object = "embedding",
                index,
                embedding = base64 ? (object)Convert.ToBase64String(vector.SelectMany(BitConverter.GetBytes).ToArray()) : vector,
            }),
            usage = new { prompt_tokens = request.Inputs.Count, total_tokens = request.Inputs.Count },
        });
    }

    private float[] Vector(string text)
    {
        var hash = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text));
        return [.. Enumerable.Range(0, Dimensions).Select(i => hash[i % hash.Length] / 255f - 0.5f)];
    }

    private static X509Certificate2 Untrusted()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=untrusted.test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
