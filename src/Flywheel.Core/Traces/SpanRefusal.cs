namespace Flywheel.Core.Traces;

/// <summary>Why a span was not kept. Sending it again unchanged is of no use.</summary>
/// <param name="Code">Machine-readable, such as <c>invalid_started_at</c> or <c>span_conflict</c>.</param>
/// <param name="Message">One sentence with the field and the remedy.</param>
/// <param name="Field">The field of the span that is wrong; null when it is none in particular.</param>
public sealed record SpanRefusal(string Code, string Message, string? Field)
{
    /// <summary>A field holds something that cannot be kept.</summary>
    public static SpanRefusal Invalid(string field, string message) => new("invalid_" + field, message, field);

    /// <summary>Another span has these ids; the first one stays.</summary>
    public static SpanRefusal Conflict(SpanKey key) => new(
        "span_conflict", $"Another span has `trace_id` {key.Trace} and `span_id` {key.Span}: give each span an id of its own.", "span_id");
}
