namespace Flywheel.Core;

/// <summary>What kind of refusal a <see cref="RequestException"/> is; each edge maps it to its own protocol.</summary>
public enum RequestErrorKind
{
    /// <summary>A value is missing, malformed or out of range. HTTP 400, exit code 2.</summary>
    Invalid,

    /// <summary>No key, or one that is unknown, revoked or expired. HTTP 401.</summary>
    Unauthenticated,

    /// <summary>The key is valid and does not permit this. HTTP 403.</summary>
    Forbidden,

    /// <summary>The thing named does not exist in this project. HTTP 404.</summary>
    NotFound,

    /// <summary>The request contradicts what is stored. HTTP 409.</summary>
    Conflict,

    /// <summary>The request is longer than the limit. HTTP 413.</summary>
    TooLarge,

    /// <summary>The content type is not one that is read here. HTTP 415.</summary>
    UnsupportedFormat,

    /// <summary>A limit or budget is used up; <see cref="RequestException.RetryAfter"/> says when to try again. HTTP 429.</summary>
    RateLimited,

    /// <summary>Flywheel failed. HTTP 500.</summary>
    Internal,

    /// <summary>A provider or another system behind Flywheel failed. HTTP 502.</summary>
    UpstreamFailed,

    /// <summary>Not now: overloaded, or a part is switched off. HTTP 503.</summary>
    Unavailable,

    /// <summary>A provider did not answer in time. HTTP 504.</summary>
    UpstreamTimedOut,
}

/// <summary>
/// A request that a use case refuses. REST answers it as an RFC 9457 problem, the command line as a message, MCP as a tool error.
/// </summary>
/// <param name="code">Machine-readable and stable, such as <c>unknown_metric</c>.</param>
/// <param name="message">What is wrong and how to correct it, for people.</param>
/// <param name="field">The field at fault; null if no single field is.</param>
public sealed class RequestException(RequestErrorKind kind, string code, string message, string? field = null) : FlywheelException(message)
{
    public RequestErrorKind Kind { get; } = kind;
    public string Code { get; } = code;
    public string? Field { get; } = field;

    /// <summary>Time to wait before a repeat; null if a repeat will not help or the time is not known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Further machine-readable facts, such as the items at fault; members of the problem object in REST.</summary>
    public IReadOnlyDictionary<string, object?> Details { get; init; } = new Dictionary<string, object?>();

    /// <summary>A value of <paramref name="field"/> that cannot be used: code <c>invalid_FIELD</c>.</summary>
    public static RequestException BadField(string field, string message) =>
        new(RequestErrorKind.Invalid, "invalid_" + field, message, field);

    /// <summary>A name or id that the project does not hold: code <c>unknown_WHAT</c>.</summary>
    public static RequestException NotFound(string what, string message, string? field = null) =>
        new(RequestErrorKind.NotFound, "unknown_" + what, message, field);
}
