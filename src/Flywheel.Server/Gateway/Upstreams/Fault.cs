using System.Net.Sockets;
using System.Security.Authentication;

namespace Flywheel.Server.Gateway.Upstreams;

/// <summary>Why an attempt at a provider gave no answer, and what the client would be told.</summary>
/// <param name="Status">For the client.</param>
/// <param name="Code">Machine-readable: <c>upstream_timeout</c>.</param>
/// <param name="Retry">The same model may do better on another try.</param>
/// <param name="FallBack">Another model may.</param>
/// <param name="UpstreamStatus">Null when the provider sent none.</param>
/// <param name="Body">The provider's own error, ready for the client; null to write one.</param>
sealed record Fault(
    int Status, string Code, string Message, bool Retry, bool FallBack = true, int? UpstreamStatus = null, string? RetryAfter = null,
    byte[]? Body = null)
{
    public static Fault Malformed(string why) => new(502, "upstream_malformed", $"The provider's reply is no answer: {why}.", Retry: true);

    public static Fault TooLarge(long limit) =>
        new(502, "upstream_too_large", $"The provider's reply is over {limit / (1024 * 1024)} MB and was not read to its end.",
            Retry: false);

    public static Fault Timeout(string what) => new(504, "upstream_timeout", what, Retry: true);

    public static Fault Broken { get; } = new(
        502, "upstream_broken", "The connection to the provider broke off before the reply was whole.", Retry: true);

    public static Fault Reported(string message) =>
        new(502, "upstream_error", $"The provider reported a failure with status 200: {message}", Retry: true);

    public static Fault Of(Exception error) => error switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }
            or HttpRequestException { InnerException: AuthenticationException } =>
            new(502, "upstream_tls", "No trusted TLS connection to the provider could be made.", Retry: false),
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError }
            or SocketException =>
            new(502, "upstream_unreachable", "The provider cannot be reached.", Retry: true),
        HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded } =>
            new(502, "upstream_malformed", "The provider's reply has headers that are too long.", Retry: false),
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse } =>
            new(502, "upstream_malformed", "The provider's reply is no HTTP.", Retry: true),
        _ => Broken,
    };
}
