using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Judging.Aligning;

/// <summary>What a search works on: labels split, their spans, and the examples that may be shown.</summary>
/// <param name="Pool">Approved examples of the metric.</param>
sealed record AlignmentMaterial(
    Metric Metric, LabelSplit Split, IReadOnlyDictionary<SpanId, Span> Spans, IReadOnlyList<Demonstration> Pool,
    IReadOnlyDictionary<long, string> Traces)
{
    /// <summary>Newest approved examples that are considered.</summary>
    const int MostExamples = 2_000;

    const int PageSize = 500;

    /// <summary>Where senders put a reference answer.</summary>
    static readonly string[] References =
        ["reference", "reference.answer", "reference_answer", "flywheel.reference", "expected", "expected_output", "ground_truth",
            "gold_answer"];

    const double MostHaveIt = 0.8;

    public IEnumerable<AlignmentCase> Cases => Split.Fit.Concat(Split.HeldOut);

    public static async Task<AlignmentMaterial> ReadAsync(
        IAlignmentStore alignments, IDemonstrationStore demonstrations, ISpanStore spans, Metric metric, DateTimeOffset? until, int labels,
        CancellationToken ct)
    {
        var cases = await alignments.CasesAsync(metric.Project, metric.Id, until, labels, ct);
        var pool = new List<Demonstration>();
        for (string? cursor = null; pool.Count < MostExamples;)
        {
            var page = await demonstrations.ListAsync(
                metric.Project, new(DemonstrationPurpose.Judge, metric.Name, DemonstrationState.Approved, cursor, PageSize), ct);
            pool.AddRange(page.Items);
            if ((cursor = page.Next) is null)
                break;
        }
        var found = await SpansAsync(spans, metric, cases.Select(each => each.Span), ct);
        var traces = found.ToDictionary(each => each.Key.Value, each => each.Value.Key.Trace);
        foreach (var (id, span) in await SpansAsync(
            spans, metric,
            pool.Where(each => each.SpanId is { } id && !traces.ContainsKey(id)).Select(each => new SpanId(each.SpanId!.Value)), ct))
            traces[id.Value] = span.Key.Trace;
        return new(metric, LabelSplit.Of(cases), found, pool, traces);
    }

    /// <summary>What is judged; null when the span is gone or has none.</summary>
    public string? Text(AlignmentCase of) => Spans.GetValueOrDefault(of.Span) is { } span
        ? Metric.Subject == MetricSubject.Input ? span.Content.Input : span.Content.Output
        : null;

    /// <summary>An attribute with a reference answer that nearly all labelled spans have; null when there is none.</summary>
    public string? FindReference() => References.FirstOrDefault(path => ShareWith(path) >= MostHaveIt);

    public double ShareWith(string reference) => Spans.Count == 0
        ? 0
        : Spans.Values.Count(span => AttributeText.At(span.Content.Attributes, reference).Text is not null) / (double)Spans.Count;

    static async Task<Dictionary<SpanId, Span>> SpansAsync(ISpanStore spans, Metric metric, IEnumerable<SpanId> ids, CancellationToken ct)
    {
        var found = new Dictionary<SpanId, Span>();
        foreach (var chunk in ids.Distinct().Chunk(PageSize))
            foreach (var span in await spans.GetAsync(metric.Project, chunk, ct))
                found[span.Id] = span;
        return found;
    }
}
