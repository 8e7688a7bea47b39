using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>Finds the span that a request names.</summary>
public static class SpanLookup
{
    /// <exception cref="RequestException">An id is malformed, or the project has no such span: code <c>unknown_span</c>.</exception>
    public static async Task<Span> GetAsync(this ISpanStore spans, ProjectId project, string? traceId, string? spanId, CancellationToken ct)
    {
        var key = new SpanKey(
            RequestField.Name("trace_id", traceId, SpanRules.MaxIdLength), RequestField.Name("span_id", spanId, SpanRules.MaxIdLength));
        return await spans.FindAsync(project, key, ct)
            ?? throw RequestException.NotFound("span", $"There is no span `{spanId}` in trace `{traceId}` of this project.", "span_id");
    }
}
