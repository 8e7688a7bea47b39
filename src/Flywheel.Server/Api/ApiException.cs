namespace Flywheel.Server.Api;

/// <summary>A caller's mistake, on its way to becoming an RFC 9457 problem.</summary>
/// <param name="status">HTTP status, 4xx or 503.</param>
/// <param name="code">Machine-readable, stable: <c>unknown_metric</c>.</param>
/// <param name="message">What is wrong and what to do, for people.</param>
/// <param name="field">The field at fault, when one is.</param>
public sealed class ApiException(int status, string code, string message, string? field = null) : Exception(message)
{
    public int Status { get; } = status;
    public string Code { get; } = code;
    public string? Field { get; } = field;
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Further members of the problem object.</summary>
    public IReadOnlyDictionary<string, object?> Extensions { get; init; } = new Dictionary<string, object?>();

    public static ApiException BadField(string field, string message) => new(400, "invalid_" + field, message, field);

    public static ApiException NotFound(string what, string message, string? field = null) => new(404, "unknown_" + what, message, field);
}
