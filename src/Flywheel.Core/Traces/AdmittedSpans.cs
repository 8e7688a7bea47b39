using Flywheel.Core.Projects;

namespace Flywheel.Core.Traces;

/// <summary>Spans that were checked by <see cref="SpanRules"/> and redacted: the only form in which a store takes them.</summary>
public sealed class AdmittedSpans
{
    AdmittedSpans(ProjectId project, IReadOnlyList<NewSpan> spans, IReadOnlyList<SpanRefusal?>? refusals) =>
        (Project, Spans, Refusals) = (project, spans, refusals);

    public ProjectId Project { get; }

    /// <summary>Those that may be stored, as they may be stored, in the order given.</summary>
    public IReadOnlyList<NewSpan> Spans { get; }

    /// <summary>One entry per span given, null for an admitted one; null when all were admitted.</summary>
    public IReadOnlyList<SpanRefusal?>? Refusals { get; }

    /// <param name="filter">Takes out what must not be stored.</param>
    /// <param name="now">The time against which the spans' clocks are checked.</param>
    public static async ValueTask<AdmittedSpans> AdmitAsync(
        ProjectId project, IReadOnlyList<NewSpan> spans, ISpanFilter filter, DateTimeOffset now, CancellationToken ct)
    {
        var refusals = Refuse(spans, now);
        var good = refusals is null ? spans : [.. spans.Where((_, i) => refusals[i] is null)];
        var filtered = good.Count == 0 ? good : await filter.BeforeStoringAsync(project, good, ct).ConfigureAwait(false);
        return filtered.Count == good.Count
            ? new(project, filtered, refusals)
            : throw new InvalidOperationException($"The span filter returned {filtered.Count} spans for {good.Count}.");
    }

    /// <summary>Null when no span is refused, which is the usual case and allocates nothing.</summary>
    static SpanRefusal?[]? Refuse(IReadOnlyList<NewSpan> spans, DateTimeOffset now)
    {
        SpanRefusal?[]? refusals = null;
        for (var i = 0; i < spans.Count; i++)
            if (SpanRules.Check(spans[i], now) is { } wrong)
                (refusals ??= new SpanRefusal?[spans.Count])[i] = wrong;
        return refusals;
    }
}
