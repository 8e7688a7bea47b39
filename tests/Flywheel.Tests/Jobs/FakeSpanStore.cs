using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Tests.Jobs;

/// <summary>The part of the span store that a worker uses.</summary>
sealed class FakeSpanStore : ISpanStore
{
    public Dictionary<SpanId, Span> Spans { get; } = [];

    public Task<IReadOnlyList<Span>> GetAsync(ProjectId project, IReadOnlyList<SpanId> ids, CancellationToken ct) =>
        Task.FromResult<IReadOnlyList<Span>>(
            [.. ids.Where(Spans.ContainsKey).Select(id => Spans[id]).Where(span => span.Project == project)]);

    public Task<Span?> FindAsync(ProjectId project, SpanKey key, CancellationToken ct) => throw new NotSupportedException();

    public Task<IReadOnlyList<Span>> TraceAsync(ProjectId project, string traceId, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<Page<TraceSummary>> ListTracesAsync(ProjectId project, TraceFilter filter, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<Span>> AfterAsync(ProjectId project, SpanId after, string? node, int limit, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<Span>> NewestAsync(ProjectId project, IReadOnlyList<string>? nodes, int limit, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<Span>> UnreviewedAsync(ProjectId project, string node, int limit, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<(string Node, NodeKind Kind)>> NodesAsync(ProjectId project, CancellationToken ct) =>
        throw new NotSupportedException();

    public Task<long> CountAsync(ProjectId project, CancellationToken ct) => throw new NotSupportedException();

    public Task<bool?> EvaluateAsync(ProjectId project, SpanId span, string expressionSql, CancellationToken ct) =>
        throw new NotSupportedException();
}
