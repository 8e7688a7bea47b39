using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Engine.Review;

/// <summary>What people said of a metric's items, newest last.</summary>
public sealed record LabelledItems(IReadOnlyList<SpanId> Spans, IReadOnlyList<ForecastItem> Items, IReadOnlyList<bool> Failed);

/// <summary>Reads items as forecasts need them.</summary>
/// <remarks>
/// Texts are embedded by wording (<see cref="LexicalEmbedder"/>), whatever embeds demonstrations: thousands of items are looked at for each
/// one
/// that is shown, which must cost nothing. Vectors are kept for the newest spans seen.
/// </remarks>
public sealed class ForecastReader(IFlywheelStore store)
{
    const int MostCharacters = 20_000;
    const int MostKept = 10_000;

    readonly LexicalEmbedder _embedder = new();
    readonly ConcurrentDictionary<(SpanId, string?), (float[] Input, float[] Output)> _vectors = new();

    /// <summary>Labels given blind or against a suggestion; accepted suggestions say what the judge said.</summary>
    public async Task<LabelledItems> LabelledAsync(ProjectId project, MetricId metric, CancellationToken ct)
    {
        var labels = (await store.Labels.ListAsync(project, metric, 2 * FixingOrder.MostLabels, ct))
            .Where(label => label.Mode != LabelMode.Accepted).DistinctBy(label => label.Span).Take(FixingOrder.MostLabels).Reverse()
            .ToArray();
        var items = await ItemsAsync(project, metric, [.. labels.Select(label => label.Span)], ct);
        var known = labels.Where(label => items.ContainsKey(label.Span)).ToArray();
        return new LabelledItems(
            [.. known.Select(label => label.Span)], [.. known.Select(label => items[label.Span].Item)],
            [.. known.Select(label => !label.Passed)]);
    }

    /// <summary>Items by span with the newest verdict's outcome, null without one; spans that are gone are left out.</summary>
    public async Task<IReadOnlyDictionary<SpanId, (ForecastItem Item, Outcome? Outcome)>> ItemsAsync(
        ProjectId project, MetricId metric, IReadOnlyList<SpanId> spans, CancellationToken ct)
    {
        var verdicts = new Dictionary<SpanId, Finding>();
        var items = new Dictionary<SpanId, (ForecastItem, Outcome?)>();
        foreach (var some in spans.Chunk(500))
        {
            foreach (var verdict in await store.Verdicts.CurrentAsync(project, some, ct))
                if (verdict.Metric == metric)
                    verdicts[verdict.Span] = verdict.Finding;
            foreach (var span in await store.Spans.GetAsync(project, some, ct))
                items[span.Id] = (
                    Item(span.Id, span.Content.Input, span.Content.Output, verdicts.GetValueOrDefault(span.Id)),
                    verdicts.GetValueOrDefault(span.Id)?.Outcome);
        }
        return items;
    }

    ForecastItem Item(SpanId span, string? input, string? output, Finding? finding)
    {
        if (_vectors.Count > MostKept)
            _vectors.Clear();
        // An output may come after its span, so the text is part of the key.
        var (asked, answered) = _vectors.GetOrAdd((span, output), _ => (Embed(input), Embed(output)));
        return ForecastItem.Of(
            input, asked, output, answered,
            finding?.Outcome switch { Outcome.Pass => true, Outcome.Fail => false, _ => null },
            finding?.Confidence ?? finding?.RawConfidence);
    }

    float[] Embed(string? text) => _embedder.EmbedDocument(text is { Length: > MostCharacters } ? text[..MostCharacters] : text ?? "");
}
