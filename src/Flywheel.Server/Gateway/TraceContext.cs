using Flywheel.Core.Traces;

namespace Flywheel.Server.Gateway;

/// <summary>Where a call stands in a trace: W3C `traceparent` as far as it is needed.</summary>
/// <param name="Trace">32 hex digits.</param>
/// <param name="Span">16 hex digits, new for each call.</param>
/// <param name="Parent">The caller's span; null when it sent no trace context.</param>
readonly record struct TraceContext(string Trace, string Span, string? Parent)
{
    public const string Header = "traceparent";

    /// <summary>What goes upstream, so that the provider's spans hang below ours.</summary>
    public string Outgoing => $"00-{Trace}-{Span}-01";

    public static TraceContext Begin(string? traceparent, DateTimeOffset at) => IsValid(traceparent)
        ? new(traceparent!.Substring(3, 32), TraceIds.NewSpan(), traceparent.Substring(36, 16))
        : new(TraceIds.NewTrace(at), TraceIds.NewSpan(), null);

    /// <summary>An unreadable header starts a new trace, as the standard wants.</summary>
    static bool IsValid(string? header)
    {
        if (header is null || header.Length < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-'
            || header.StartsWith("ff", StringComparison.Ordinal))
            return false;
        if (header.Length > 55 && (header.StartsWith("00", StringComparison.Ordinal) || header[55] != '-'))
            return false;
        return IsId(header.AsSpan(3, 32)) && IsId(header.AsSpan(36, 16));
    }

    static readonly System.Buffers.SearchValues<char> Hex = System.Buffers.SearchValues.Create("0123456789abcdef");

    static bool IsId(ReadOnlySpan<char> id) => !id.ContainsAnyExcept(Hex) && id.ContainsAnyExcept('0');
}
