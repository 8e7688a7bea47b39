using Flywheel.Core;

namespace Flywheel.Server.Api;

/// <summary>The HTTP status of each kind of refusal.</summary>
static class HttpStatus
{
    public static int Of(RequestErrorKind kind) => kind switch
    {
        RequestErrorKind.Invalid => StatusCodes.Status400BadRequest,
        RequestErrorKind.Unauthenticated => StatusCodes.Status401Unauthorized,
        RequestErrorKind.Forbidden => StatusCodes.Status403Forbidden,
        RequestErrorKind.NotFound => StatusCodes.Status404NotFound,
        RequestErrorKind.Conflict => StatusCodes.Status409Conflict,
        RequestErrorKind.TooLarge => StatusCodes.Status413PayloadTooLarge,
        RequestErrorKind.UnsupportedFormat => StatusCodes.Status415UnsupportedMediaType,
        RequestErrorKind.RateLimited => StatusCodes.Status429TooManyRequests,
        RequestErrorKind.UpstreamFailed => StatusCodes.Status502BadGateway,
        RequestErrorKind.Unavailable => StatusCodes.Status503ServiceUnavailable,
        RequestErrorKind.UpstreamTimedOut => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status500InternalServerError,
    };
}
