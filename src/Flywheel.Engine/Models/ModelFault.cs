using System.ClientModel;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Anthropic.Exceptions;
using Flywheel.Engine.Models.Http;

namespace Flywheel.Engine.Models;

/// <summary>Why a model call failed, and whether the same call may succeed later.</summary>
/// <param name="RetryAfter">How long the provider asks to wait; null when it does not say. Never negative.</param>
/// <param name="Reason">For people; without keys and without the prompt.</param>
/// <param name="Status">The HTTP status; null when there was no whole answer.</param>
public sealed record ModelFault(ModelFaultKind Kind, bool Retryable, TimeSpan? RetryAfter, string Reason, int? Status = null)
{
    /// <summary>Reads any exception that a chat client or embedder of this assembly throws.</summary>
    /// <param name="clock">For a Retry-After that names a date; null for the system's.</param>
    /// <param name="ct">The caller's token: tells a timeout from the caller's own cancellation.</param>
    public static ModelFault From(Exception exception, TimeProvider? clock = null, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(exception);
        if (ct.IsCancellationRequested && exception is OperationCanceledException)
            return new(ModelFaultKind.Cancelled, false, null, "the caller cancelled the call");

        foreach (var e in Chain(exception))
        {
            if (Of(e, clock ?? TimeProvider.System) is { } fault)
                return fault;
        }

        return new(ModelFaultKind.Unknown, false, null, $"{exception.GetType().Name}: {Short(exception.Message)}");
    }

    private static ModelFault? Of(Exception e, TimeProvider clock) => e switch
    {
        ModelSetupException => new(ModelFaultKind.Setup, false, null, e.Message),
        ReplyTooLargeException => new(ModelFaultKind.TooLarge, false, null, e.Message),
        ModelHttpException http => OfStatus(http.Status, RetryAfterHeader.Parse(http.RetryAfter, clock), http.Message),
        ClientResultException { Status: > 0 } result => OfStatus(result.Status, RetryAfterOf(result, clock), result.Message),
        AnthropicApiException api => OfStatus((int)api.StatusCode, null, api.Message),
        AnthropicSseException => new(ModelFaultKind.Overloaded, true, null, $"the provider broke off its stream: {Short(e.Message)}"),
        AuthenticationException => new(ModelFaultKind.Tls, false, null, $"no trusted TLS connection: {Short(e.Message)}"),
        SocketException socket => OfSocket(socket),
        HttpRequestException { StatusCode: { } status } => OfStatus((int)status, null, e.Message),
        HttpIOException or EndOfStreamException => Cut(e),
        IOException when e.InnerException is null => Cut(e),
        TimeoutException or OperationCanceledException => new(ModelFaultKind.Timeout, true, null, "the model did not answer in time"),
        JsonException or AnthropicInvalidDataException or InvalidDataException or FormatException or KeyNotFoundException =>
            new(ModelFaultKind.MalformedReply, true, null, $"the reply is not what the API promises: {Short(e.Message)}"),
        // What the OpenAI client makes of a reply with a missing or mistyped property.
        InvalidOperationException or ArgumentException or NullReferenceException or IndexOutOfRangeException =>
            new(ModelFaultKind.MalformedReply, true, null, $"the reply is not what the API promises: {Short(e.Message)}"),
        _ => null,
    };

    private static ModelFault OfStatus(int status, TimeSpan? retryAfter, string said)
    {
        var (kind, retryable, words) = status switch
        {
            408 or 504 => (ModelFaultKind.Timeout, true, "the provider timed out"),
            409 or 425 => (ModelFaultKind.Overloaded, true, "the provider asks to try again"),
            429 => (ModelFaultKind.RateLimited, true, "the provider limits the rate"),
            >= 500 => (ModelFaultKind.Overloaded, true, "the provider failed"),
            401 or 403 => (ModelFaultKind.Unauthorized, false, "the provider refuses the key"),
            404 => (ModelFaultKind.NotFound, false, "the provider knows no such model or endpoint"),
            413 => (ModelFaultKind.TooLarge, false, "the prompt is too large for the provider"),
            >= 300 and < 400 => (ModelFaultKind.Rejected, false, "the endpoint redirects elsewhere, which is not followed"),
            _ => (ModelFaultKind.Rejected, false, "the provider rejects the request"),
        };
        return new(kind, retryable, retryAfter, $"{words} ({status}): {Short(said)}", status);
    }

    private static ModelFault OfSocket(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => new(ModelFaultKind.Refused, true, null, "nothing listens at the endpoint: connection refused"),
        SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData =>
            new(ModelFaultKind.Refused, true, null, "the endpoint's host name is unknown"),
        SocketError.TimedOut => new(ModelFaultKind.Timeout, true, null, "the endpoint did not accept a connection in time"),
        _ => Cut(e),
    };

    private static ModelFault Cut(Exception e) =>
        new(ModelFaultKind.Cut, true, null, $"the connection broke before the reply was whole: {Short(e.Message)}");

    private static TimeSpan? RetryAfterOf(ClientResultException e, TimeProvider clock) =>
        e.GetRawResponse() is { } response && response.Headers.TryGetValue("Retry-After", out var value)
            ? RetryAfterHeader.Parse(value, clock)
            : null;

    // Innermost first: the outer ones say that a request failed, the inner ones why. But a whole answer's status, or
    // that time ran out, says more than the broken connection beneath it.
    private static IEnumerable<Exception> Chain(Exception exception)
    {
        var chain = new List<Exception>();
        for (Exception? e = exception; e is not null; e = e is AggregateException many
            ? many.InnerExceptions.FirstOrDefault() : e.InnerException)
            chain.Add(e);
        chain.Reverse();
        return chain.OrderByDescending(e =>
            e is ModelHttpException or AnthropicApiException or ClientResultException { Status: > 0 }
                or TimeoutException or OperationCanceledException);
    }

    private static string Short(string text)
    {
        var line = text.ReplaceLineEndings(" ").Trim();
        return line.Length <= 300 ? line : string.Concat(line.AsSpan(0, 299), "…");
    }
}

public enum ModelFaultKind
{
    /// <summary>Nothing known; not retried.</summary>
    Unknown,

    /// <summary>429.</summary>
    RateLimited,

    /// <summary>5xx.</summary>
    Overloaded,

    Timeout,

    /// <summary>No connection: refused, or no such host.</summary>
    Refused,

    /// <summary>No trusted TLS connection.</summary>
    Tls,

    /// <summary>Reset, or ended in the middle of a reply.</summary>
    Cut,

    /// <summary>Not JSON, empty, or of another shape.</summary>
    MalformedReply,

    /// <summary>The reply is over our limit, or the prompt over the provider's.</summary>
    TooLarge,

    /// <summary>401 or 403.</summary>
    Unauthorized,

    NotFound,

    /// <summary>Any other 4xx: the same call cannot succeed.</summary>
    Rejected,

    /// <summary>By the caller.</summary>
    Cancelled,

    /// <summary>Configuration or installation.</summary>
    Setup,
}
