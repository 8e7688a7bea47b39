using System.Net;
using System.Text;
using System.Text.Unicode;
using Flywheel.Server.Gateway.Wire;

namespace Flywheel.Server.Gateway.Upstreams;

/// <summary>Sends bodies to providers as they are. Follows no redirect, keeps no cookies, knows no address but the settings'.</summary>
sealed class UpstreamClient : IDisposable
{
    const int MaxErrorBytes = 64 * 1024;

    readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        MaxConnectionsPerServer = 1024,
        MaxResponseHeadersLength = 64,
        MaxResponseDrainSize = 64 * 1024,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
    });

    public Task<HttpResponseMessage> PostAsync(
        Upstream upstream, string path, ReadOnlyMemory<byte> body, string traceparent, CancellationToken ct)
    {
        var content = new ReadOnlyMemoryContent(body);
        content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, upstream.At(path)) { Content = content };
        request.Headers.Authorization = upstream.Authorization;
        request.Headers.TryAddWithoutValidation("User-Agent", "flywheel/1");
        request.Headers.TryAddWithoutValidation("traceparent", traceparent);
        return _http.SendAsync(request, ct);
    }

    /// <summary>What an error status means; the provider's own words go on when they are such, without our key.</summary>
    public static async Task<Fault> FaultOfAsync(HttpResponseMessage response, Upstream upstream, CancellationToken ct)
    {
        var status = (int)response.StatusCode;
        if (status is 401 or 403)
            return new(502, "upstream_refused_key",
                $"The provider {upstream.Name} refuses the server's key ({status}): the operator must check it.", Retry: false,
                UpstreamStatus: status);
        if (status is >= 300 and < 400)
            return new(502, "upstream_redirect", $"The provider {upstream.Name} answers with a redirect ({status}), which is not followed.",
                Retry: false, UpstreamStatus: status);
        var body = await ReadAsync(response, ct);
        var message = Utf8.IsValid(body) ? Reply.FailureIn(body) : null;
        var retryAfter = response.Headers.NonValidated.TryGetValues("Retry-After", out var after) ? after.ToString() : null;
        var code = status == 429 ? "upstream_rate_limited" : status >= 500 ? "upstream_failed" : "upstream_refused";
        return new(
            status >= 400 ? status : 502, code,
            message is null ? $"The provider {upstream.Name} answered {status}." : Without(message, upstream.Key),
            Retry: status is 408 or 409 or 429 or >= 500, FallBack: status is 404 or 408 or 409 or 429 or >= 500, UpstreamStatus: status,
            retryAfter,
            message is null ? null : Encoding.UTF8.GetBytes(Without(Encoding.UTF8.GetString(body), upstream.Key)));
    }

    /// <summary>Providers repeat keys in their messages: ours goes no further.</summary>
    public static string Without(string text, string? key) => key is null ? text : text.Replace(key, "***", StringComparison.Ordinal);

    /// <summary>The beginning of a body, as much as an error may have.</summary>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var stream = await response.Content.ReadAsStreamAsync(ct);
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        while (body.Length < MaxErrorBytes && await stream.ReadAsync(buffer, ct) is var read and > 0)
            body.Write(buffer, 0, read);
        return body.ToArray();
    }

    public void Dispose() => _http.Dispose();
}
