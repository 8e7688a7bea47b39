namespace Flywheel.Core.Traces;

/// <summary>Writes spans that were checked and redacted; there is no other way to write one through this API.</summary>
public interface ISpanWriter
{
    /// <summary>Stores a batch durably, together with the work it causes: when this returns, both are on disk.</summary>
    /// <returns>One result per span of <see cref="AdmittedSpans.Spans"/>, in that order.</returns>
    /// <exception cref="OverloadedException">The write queue is full; nothing of the batch was stored.</exception>
    Task<IReadOnlyList<SpanInsertResult>> AddAsync(AdmittedSpans spans, DateTimeOffset at, CancellationToken ct);
}
