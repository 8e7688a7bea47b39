using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>What became of one span of a batch.</summary>
public enum SpanInsertResult
{
    Stored,

    /// <summary>The same span was there already, word for word: a sender's retry, acknowledged again.</summary>
    Repeated,

    /// <summary>Another span has this trace and span id; the first one stays.</summary>
    Conflicting,
}

/// <summary>The store cannot take more now; callers answer 503 and say when to come back.</summary>
public sealed class OverloadedException(TimeSpan retryAfter)
    : Exception($"The write queue is full; try again in {retryAfter.TotalSeconds:0.#} s.")
{
    public TimeSpan RetryAfter { get; } = retryAfter;
}

/// <summary>One trace in a list: its spans rolled up.</summary>
/// <param name="Input">Of its root, at most the first 2,000 characters; likewise <paramref name="Output"/>.</param>
public sealed record TraceSummary(
    string TraceId, DateTimeOffset StartedAt, double DurationMs, int Spans, int Errors, string? Session, string? EndUser,
    string? Input, string? Output, int Passes, int Fails);

public sealed record TraceFilter(
    string? Node = null, string? Session = null, string? EndUser = null, string? Cursor = null, int Limit = 50);

/// <summary>Which spans to look for; null members do not restrict.</summary>
/// <param name="Text">Somewhere in the input, the output or the error; ASCII letters of either case.</param>
/// <param name="Outcome">Of the newest verdict on <paramref name="Metric"/>, or on any metric.</param>
public sealed record SpanSearch(
    string? Text = null, string? Node = null, NodeKind? Kind = null, Metrics.Outcome? Outcome = null, string? Metric = null,
    DateTimeOffset? From = null, DateTimeOffset? To = null, bool Failed = false, string? Cursor = null, int Limit = 50);

/// <summary>One page; <paramref name="Next"/> is the cursor of the following page, null on the last.</summary>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>Reads spans; <see cref="ISpanWriter"/> writes them.</summary>
public interface ISpanStore
{
    Task<Span?> FindAsync(ProjectId project, SpanKey key, CancellationToken ct);

    /// <summary>Spans by row number, in the order asked for; unknown ones are left out.</summary>
    Task<IReadOnlyList<Span>> GetAsync(ProjectId project, IReadOnlyList<SpanId> ids, CancellationToken ct);

    /// <summary>All spans of one trace by start time.</summary>
    Task<IReadOnlyList<Span>> TraceAsync(ProjectId project, string traceId, CancellationToken ct);

    /// <summary>Newest traces first, by the arrival of their first span.</summary>
    Task<Page<TraceSummary>> ListTracesAsync(ProjectId project, TraceFilter filter, CancellationToken ct);

    /// <summary>Newest arrivals first.</summary>
    /// <remarks>Looks through a bounded part of the spans a call: a page may be short or empty and have a next one all the same.</remarks>
    Task<Page<Span>> SearchAsync(ProjectId project, SpanSearch search, CancellationToken ct) =>
        throw new NotSupportedException("This store has no search.");

    /// <summary>Spans in arrival order after a given one: for export and for planning reviews.</summary>
    Task<IReadOnlyList<Span>> AfterAsync(ProjectId project, SpanId after, string? node, int limit, CancellationToken ct);

    /// <summary>The newest spans, newest first, of some nodes; null for all.</summary>
    Task<IReadOnlyList<Span>> NewestAsync(ProjectId project, IReadOnlyList<string>? nodes, int limit, CancellationToken ct);

    /// <summary>The newest spans of a node that no person has corrected or confirmed, newest first.</summary>
    Task<IReadOnlyList<Span>> UnreviewedAsync(ProjectId project, string node, int limit, CancellationToken ct);

    /// <summary>The nodes that have spans, with the kind of their newest span; by name. Cost grows with the nodes, not the spans.</summary>
    Task<IReadOnlyList<(string Node, NodeKind Kind)>> NodesAsync(ProjectId project, CancellationToken ct);

    Task<long> CountAsync(ProjectId project, CancellationToken ct);

    /// <summary>
    /// Evaluates a checked boolean SQL expression (see <c>SqlExpression</c>) over one stored span's columns, in the database.
    /// <c>started_at</c> is a text there: 2026-01-31T09:30:00.000000Z.
    /// </summary>
    /// <exception cref="TimeoutException">It ran too long.</exception>
    /// <exception cref="InvalidOperationException">The database refuses it, or its value is no truth value.</exception>
    /// <returns>True, false, or null when the expression is SQL null for this span.</returns>
    Task<bool?> EvaluateAsync(ProjectId project, SpanId span, string expressionSql, CancellationToken ct);
}
