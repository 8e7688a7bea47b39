using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Remote;

/// <summary>Asks and tells a Flywheel server in JSON, and turns its answers into values or telling exceptions.</summary>
internal sealed class ApiTransport : IDisposable
{
    const int MaxErrorCharacters = 500;

    readonly HttpClient http;
    readonly bool ownsHttp;
    readonly Uri root;
    readonly AuthenticationHeaderValue? authorization;
    readonly string? project;

    public ApiTransport(Uri server, string? key, string? project, HttpClient? http)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (!server.IsAbsoluteUri || server.Scheme is not ("http" or "https"))
            throw new ArgumentException($"\"{server}\" is no http or https address.", nameof(server));
        var address = server.GetLeftPart(UriPartial.Path);
        root = new(address.EndsWith('/') ? address : address + "/");
        authorization = string.IsNullOrEmpty(key) ? null : new("Bearer", key);
        this.project = string.IsNullOrEmpty(project) ? null : project;
        ownsHttp = http is null;
        this.http = http ?? NewHttpClient();
    }

    public async Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> answerType, string? idempotencyKey,
        CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(root, path));
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        request.Content.Headers.ContentType = new("application/json");
        if (idempotencyKey is not null)
            request.Headers.TryAddWithoutValidation("Idempotency-Key", idempotencyKey);
        return await AnswerAsync(request, path, answerType, ct).ConfigureAwait(false);
    }

    public async Task<TAnswer> GetAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> answerType, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(root, path));
        return await AnswerAsync(request, path, answerType, ct).ConfigureAwait(false);
    }

    async Task<TAnswer> AnswerAsync<TAnswer>(
        HttpRequestMessage request, string path, JsonTypeInfo<TAnswer> answerType, CancellationToken ct)
    {
        request.Headers.Authorization = authorization;
        if (project is not null)
            request.Headers.TryAddWithoutValidation("x-flywheel-project", project);

        using var response = await SendAsync(request, ct).ConfigureAwait(false);
        var bytes = await response.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw Refusal(response, bytes);
        try
        {
            return JsonSerializer.Deserialize(bytes, answerType) ?? throw new InvalidDataException($"{path} answered null.");
        }
        catch (JsonException unreadable)
        {
            // A proxy's page with status 200 is no acknowledgement.
            throw new InvalidDataException(
                $"{path} answered {(int)response.StatusCode} with something other than the JSON expected.", unreadable);
        }
    }

    public void Dispose()
    {
        if (ownsHttp)
            http.Dispose();
    }

    async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        try
        {
            return await http.SendAsync(request, ct).ConfigureAwait(false);
        }
        catch (OperationCanceledException late) when (!ct.IsCancellationRequested)
        {
            // The client's own timeout looks like a cancellation, which nobody asked for.
            throw new HttpRequestException($"No answer from {root} in time.", late, HttpStatusCode.RequestTimeout);
        }
    }

    static Exception Refusal(HttpResponseMessage response, byte[] bytes)
    {
        var problem = ProblemIn(bytes);
        var status = (int)response.StatusCode;
        var message = $"{status} {problem.Code ?? response.ReasonPhrase}: {problem.Detail ?? problem.Title ?? "no details given"}";
        if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
            && RetryAfter(response.Headers.RetryAfter) is { } wait)
            return new OverloadedException(wait);
        return response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.RequestEntityTooLarge
            or HttpStatusCode.UnprocessableEntity
            ? new BatchRefusedException(problem.Code ?? "http_" + status, message)
            : new HttpRequestException(message, null, response.StatusCode);
    }

    static TimeSpan? RetryAfter(RetryConditionHeaderValue? header) =>
        header?.Delta ?? (header?.Date is { } date ? date - TimeProvider.System.GetUtcNow() : null);

    static WireProblem ProblemIn(byte[] bytes)
    {
        try
        {
            if (JsonSerializer.Deserialize(bytes, Wire.Default.WireProblem) is { } problem)
                return problem with { Detail = Short(problem.Detail) };
        }
        catch (JsonException)
        {
            // Not every answer on the way to a server is the server's.
        }
        return new(null, null, null);
    }

    static string? Short(string? text) => text is { Length: > MaxErrorCharacters } ? text[..MaxErrorCharacters] + "…" : text;

    static HttpClient NewHttpClient() => new(new SocketsHttpHandler
    {
        // Followed, a redirect would turn the POST into a GET, and could carry the key elsewhere.
        AllowAutoRedirect = false,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        // Our own traffic is no part of the application's traces.
        ActivityHeadersPropagator = null,
    })
    {
        Timeout = TimeSpan.FromSeconds(60),
        MaxResponseContentBufferSize = 16 * 1024 * 1024,
    };
}
