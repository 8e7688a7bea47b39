using System.Collections.Concurrent;
using System.Globalization;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Validators.Detection;

/// <summary>Approved references from the database, looked for at most once a second a metric and read once each.</summary>
public sealed class StoredReferences(IReferenceStore references, ISpanStore spans, TimeProvider clock) : IApprovedReferences
{
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    const int AtOnce = 500;

    readonly ConcurrentDictionary<(ProjectId, string, MetricSubject), Seen> _seen = new();

    sealed record Seen(DateTimeOffset At, ReferenceSet? Set);

    public ValueTask<ReferenceSet?> CurrentAsync(ProjectId project, string metric, MetricSubject subject, CancellationToken ct) =>
        _seen.TryGetValue((project, metric, subject), out var seen) && clock.GetUtcNow() - seen.At < Fresh
            ? new(seen.Set)
            : new(LookAsync(project, metric, subject, seen?.Set, ct));

    async Task<ReferenceSet?> LookAsync(ProjectId project, string metric, MetricSubject subject, ReferenceSet? known, CancellationToken ct)
    {
        var at = clock.GetUtcNow();
        var current = await references.CurrentAsync(project, metric, ct);
        var version = current is null ? null : "ref" + current.Number.ToString(CultureInfo.InvariantCulture);
        var set = version is null ? null : known?.Version == version
            ? known : new(version, await TextsAsync(project, current!.Spans, subject, ct));
        _seen[(project, metric, subject)] = new(at, set);
        return set;
    }

    /// <summary>Newest first; spans that are gone are left out.</summary>
    async Task<IReadOnlyList<string>> TextsAsync(ProjectId project, IReadOnlyList<SpanId> ids, MetricSubject subject, CancellationToken ct)
    {
        var texts = new List<string>(ids.Count);
        foreach (var some in ids.Chunk(AtOnce))
            texts.AddRange((await spans.GetAsync(project, some, ct)).OrderByDescending(span => span.Id.Value)
                .Select(span => subject == MetricSubject.Output ? span.Content.Output : span.Content.Input)
                .Where(text => !string.IsNullOrWhiteSpace(text))!);
        return texts;
    }
}
