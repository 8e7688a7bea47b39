namespace Flywheel.Core.Traces;

/// <summary>Limits of a span, shared by every door through which one can arrive.</summary>
public static class SpanRules
{
    public const int MaxIdLength = 128;
    public const int MaxNameLength = TextRules.MaxNameLength;

    /// <summary>Characters of input, output or attributes; longer text is refused, never cut silently.</summary>
    public const int MaxTextLength = TextRules.MaxTextLength;

    /// <summary>A clock more than this ahead of ours is wrong, and would put rows where no query looks.</summary>
    public static readonly TimeSpan MaxAhead = TimeSpan.FromDays(1);

    /// <summary>Nothing before this can be a trace of an LLM application; a sender's clock stands at its epoch.</summary>
    public static readonly DateTimeOffset Earliest = new(2015, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Checks one span.</summary>
    /// <returns>Null when it may be stored.</returns>
    public static SpanRefusal? Check(NewSpan span, DateTimeOffset now)
    {
        if (Name(span.Key.Trace, MaxIdLength) is { } trace)
            return SpanRefusal.Invalid("trace_id", $"`trace_id` {trace}");
        if (Name(span.Key.Span, MaxIdLength) is { } id)
            return SpanRefusal.Invalid("span_id", $"`span_id` {id}");
        if (span.ParentId is not null && Name(span.ParentId, MaxIdLength) is { } parent)
            return SpanRefusal.Invalid("parent_id", $"`parent_id` {parent}");
        if (span.ParentId == span.Key.Span)
            return SpanRefusal.Invalid("parent_id", "`parent_id` is the span's own id: leave it out for a root span.");
        if (Name(span.Node, MaxNameLength) is { } node)
            return SpanRefusal.Invalid("node", $"`node` {node}");
        if (span.StartedAt < Earliest)
            return SpanRefusal.Invalid(
                "started_at", $"`started_at` is {span.StartedAt:yyyy-MM-dd}, before {Earliest:yyyy-MM-dd}: set the sender's clock.");
        if (span.StartedAt > now + MaxAhead)
            return SpanRefusal.Invalid(
                "started_at", $"`started_at` is {span.StartedAt:yyyy-MM-dd}, in the future: set the sender's clock.");
        if (!double.IsFinite(span.DurationMs) || span.DurationMs < 0)
            return SpanRefusal.Invalid("duration_ms", "`duration_ms` must be a finite number of milliseconds, 0 or more.");
        return Wrong("input", Text, span.Input) ?? Wrong("output", Text, span.Output) ?? Wrong("error", Text, span.Error)
            ?? Wrong("attributes", Text, span.Attributes)
            ?? Wrong("session", ShortName, span.Session) ?? Wrong("end_user", ShortName, span.EndUser)
            ?? Wrong("model", ShortName, span.Model);
    }

    static SpanRefusal? Wrong(string field, Func<string, string?> rule, string? text) =>
        text is not null && rule(text) is { } why ? SpanRefusal.Invalid(field, $"`{field}` {why}") : null;

    static string? ShortName(string text) => Name(text, MaxNameLength);

    /// <inheritdoc cref="TextRules.Text"/>
    public static string? Text(string text) => TextRules.Text(text);

    /// <inheritdoc cref="TextRules.Name"/>
    public static string? Name(string? name, int maxLength) => TextRules.Name(name, maxLength);
}
