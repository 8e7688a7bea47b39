using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Traces;
using Flywheel.Server.Features.Metrics;
using Flywheel.Server.Features.Retrieval;
using Flywheel.Server.Features.Traces;

namespace Flywheel.Server.Cli;

/// <summary>A project as typed rows, in an order in which they can be read back: what is referred to comes first.</summary>
static class Records
{
    const int PageSize = 500;
    const int All = int.MaxValue;

    public static IReadOnlyList<string> Kinds { get; } = ["metrics", "spans", "labels", "corrections", "feedback", "demonstrations"];

    public static async IAsyncEnumerable<JsonObject> ReadAsync(
        IFlywheelStore store, ProjectId project, IReadOnlyCollection<string> kinds, [EnumeratorCancellation] CancellationToken ct)
    {
        var metrics = await store.Metrics.ListAsync(project, ct);
        var names = metrics.ToDictionary(metric => metric.Id, metric => metric.Name);
        if (kinds.Contains("metrics"))
            foreach (var metric in metrics)
                yield return Row("metric", MetricView.Of(metric));
        if (kinds.Contains("spans") || kinds.Contains("feedback"))
        {
            var after = new SpanId(0);
            var traces = new HashSet<string>();
            while (await store.Spans.AfterAsync(project, after, null, PageSize, ct) is { Count: > 0 } spans)
            {
                foreach (var span in spans)
                {
                    if (kinds.Contains("spans"))
                        yield return SpanRow(span);
                    traces.Add(span.Key.Trace);
                }
                after = spans[^1].Id;
            }
            if (kinds.Contains("feedback"))
                foreach (var trace in traces)
                    foreach (var feedback in await store.Feedback.OfTraceAsync(project, trace, ct))
                        yield return Row("feedback", FeedbackView.Of(feedback));
        }
        if (kinds.Contains("labels"))
            foreach (var batch in (await store.Labels.ListAsync(project, null, All, ct)).Reverse().Chunk(PageSize))
            {
                var keys = await KeysAsync(store, project, batch.Select(label => label.Span), ct);
                foreach (var label in batch)
                    yield return Row("label", LabelView.Of(label, keys[label.Span], names));
            }
        if (kinds.Contains("corrections"))
            foreach (var batch in (await store.Corrections.ListAsync(project, All, ct)).Reverse().Chunk(PageSize))
            {
                var keys = await KeysAsync(store, project, batch.Select(correction => correction.Span), ct);
                foreach (var correction in batch)
                    yield return Row("correction", CorrectionView.Of(correction, keys[correction.Span]));
            }
        if (kinds.Contains("demonstrations"))
        {
            string? cursor = null;
            do
            {
                var page = await store.Demonstrations.ListAsync(project, new DemonstrationFilter(Cursor: cursor, Limit: PageSize), ct);
                foreach (var demonstration in page.Items)
                {
                    var row = Row("demonstration", DemonstrationView.Of(demonstration));
                    row["source"] = demonstration.Source?.ToString();
                    yield return row;
                }
                cursor = page.Next;
            }
            while (cursor is not null);
        }
    }

    static async Task<Dictionary<SpanId, SpanKey>> KeysAsync(
        IFlywheelStore store, ProjectId project, IEnumerable<SpanId> ids, CancellationToken ct) =>
        (await store.Spans.GetAsync(project, [.. ids.Distinct()], ct)).ToDictionary(span => span.Id, span => span.Key);

    static JsonObject SpanRow(Span span)
    {
        var row = Row("span", SpanView.Of(span, [], [], []));
        foreach (var derived in new[] { "verdicts", "labels", "corrections", "received_at" })
            row.Remove(derived);
        return row;
    }

    static JsonObject Row<T>(string type, T view)
    {
        var row = new JsonObject { ["type"] = type };
        foreach (var (name, value) in JsonSerializer.SerializeToNode(view, Output.Lines)!.AsObject().ToArray())
            row[name] = value?.DeepClone();
        return row;
    }
}
