using Flywheel.Core.Traces;

namespace Flywheel.Storage.Traces;

internal sealed class SpanWriter(Database database) : ISpanWriter
{
    public Task<IReadOnlyList<SpanInsertResult>> AddAsync(AdmittedSpans spans, DateTimeOffset at, CancellationToken ct) =>
        spans.Spans.Count == 0
        ? Task.FromResult<IReadOnlyList<SpanInsertResult>>([])
        : database.AddSpansAsync(spans.Project, spans.Spans, at, ct);
}
