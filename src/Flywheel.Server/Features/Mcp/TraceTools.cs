using System.ComponentModel;
using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;
using Flywheel.Server.Features.Traces;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <param name="Outcomes">Newest verdict of each metric that may be seen: <c>{"answer.short": "fail"}</c>.</param>
public sealed record FoundSpanLine(
    string TraceId, string SpanId, string Node, string Kind, DateTimeOffset StartedAt, string? Input, string? Output, string? Error, string? Model,
    IReadOnlyDictionary<string, string> Outcomes);

/// <param name="Next">Cursor of the following page; a page may be short or empty and have one all the same.</param>
public sealed record FoundSpans(IReadOnlyList<FoundSpanLine> Spans, string? Next);

public sealed record AgentTrace(string TraceId, IReadOnlyList<SpanView> Spans, IReadOnlyList<FeedbackView> Feedback, IReadOnlyList<string> WithheldMetrics, string? Note);

/// <summary>Finding and reading what the application did.</summary>
sealed class TraceTools(IFlywheelStore store, AgentCaller caller, AgentVisibility sight)
{
    const int Preview = 300;
    const int MostSpans = 200;
    const int CandidatesATurn = 200;
    const int MostTurns = 20;

    [McpServerTool(Name = "search_traces", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Find spans (calls of nodes) of the application, newest first, with their trace ids and the start of their texts. All filters must fit.")]
    public async Task<FoundSpans> SearchAsync(
        CancellationToken ct,
        [Description("Text that stands somewhere in input, output or error; case does not matter for a-z")] string? text = null,
        [Description("Name of a node")] string? node = null,
        [Description("other, classifier, writer, codegen, retriever or tool")] string? kind = null,
        [Description("Outcome of the newest verdict: pass, fail, unsure, skipped or error")] string? outcome = null,
        [Description("The metric that `outcome` is about; left out: any")] string? metric = null,
        [Description("Only spans that failed")] bool failed = false,
        [Description("Started at or after this ISO-8601 time")] string? from = null,
        [Description("Started before this ISO-8601 time")] string? to = null,
        [Description("`next` of the page before")] string? cursor = null,
        [Description("Spans a page, 1 to 100")] int limit = 20)
    {
        if (metric is not null && outcome is null)
            throw RequestException.BadField("outcome", "`metric` says which metric's `outcome` is looked for: give both.");
        if (limit is < 1 or > 100)
            throw RequestException.BadField("limit", $"`limit` is {limit}: use 1 to 100.");
        var metrics = await store.Metrics.ListAsync(caller.Project, ct);
        if (metric is not null && metrics.All(known => known.Name != metric))
            throw RequestException.NotFound("metric", $"There is no metric `{metric}` in this project: list_metrics names them.");
        var search = new SpanSearch(
            text, node, Choice<NodeKind>("kind", kind), Choice<Outcome>("outcome", outcome), metric, Time("from", from), Time("to", to), failed, cursor, limit);
        var (spans, next, visible) = search.Outcome is null ? await PageAsync(search, metrics, ct) : await ByOutcomeAsync(search, metrics, ct);
        var names = metrics.ToDictionary(known => known.Id, known => known.Name);
        return new FoundSpans(
            [.. spans.Select(span => new FoundSpanLine(
                span.Key.Trace, span.Key.Span, span.Content.Node, Wire.Name(span.Content.Kind), span.Content.StartedAt, Cut(span.Content.Input, Preview),
                Cut(span.Content.Output, Preview), Cut(span.Content.Error, Preview), span.Content.Model,
                visible[span.Id].ToDictionary(verdict => names[verdict.Metric], verdict => Wire.Name(verdict.Finding.Outcome))))],
            next);
    }

    async Task<(IReadOnlyList<Span> Spans, string? Next, ILookup<SpanId, Verdict> Visible)> PageAsync(
        SpanSearch search, IReadOnlyList<Metric> metrics, CancellationToken ct)
    {
        var page = await store.Spans.SearchAsync(caller.Project, search, ct);
        return (page.Items, page.Next, await VisibleAsync(page.Items, metrics, ct));
    }

    /// <summary>A blind item that is found by its outcome would tell it, and so would a cursor that names it: pages end at shown ones.</summary>
    async Task<(IReadOnlyList<Span> Spans, string? Next, ILookup<SpanId, Verdict> Visible)> ByOutcomeAsync(
        SpanSearch search, IReadOnlyList<Metric> metrics, CancellationToken ct)
    {
        var names = metrics.ToDictionary(known => known.Id, known => known.Name);
        var shown = new List<Span>();
        var verdicts = new List<Verdict>();
        var cursor = search.Cursor;
        for (var turn = 0; turn < MostTurns; turn++)
        {
            var (spans, next, visible) = await PageAsync(search with { Cursor = cursor, Limit = CandidatesATurn }, metrics, ct);
            var fitting = spans.Where(span => visible[span.Id].Any(verdict =>
                verdict.Finding.Outcome == search.Outcome && (search.Metric is null || names[verdict.Metric] == search.Metric))).ToArray();
            shown.AddRange(fitting);
            verdicts.AddRange(fitting.SelectMany(span => visible[span.Id]));
            if (shown.Count > search.Limit)
                shown.RemoveRange(search.Limit, shown.Count - search.Limit);
            if (shown.Count == search.Limit || spans.Count < CandidatesATurn)
                return (
                    shown, shown.Count == search.Limit ? shown[^1].Id.Value.ToString(CultureInfo.InvariantCulture) : next,
                    verdicts.ToLookup(verdict => verdict.Span));
            cursor = next;
        }
        throw new RequestException(RequestErrorKind.Conflict, "mostly_withheld", "Most of what fits is kept for blind labels: narrow the search by `node`, `from` or `to`.");
    }

    [McpServerTool(Name = "read_trace", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Read one trace: its spans by start, with verdicts, labels, corrections and feedback. What people are still to label blind is withheld.")]
    public async Task<AgentTrace> ReadAsync(
        [Description("Id of the trace")] string trace_id,
        CancellationToken ct,
        [Description("Characters of each text, 100 to 100000; longer ones are cut and say so")] int max_chars = 4000,
        [Description("With attributes, which can be long")] bool attributes = false)
    {
        if (max_chars is < 100 or > 100_000)
            throw RequestException.BadField("max_chars", $"`max_chars` is {max_chars}: use 100 to 100000.");
        var spans = await store.Spans.TraceAsync(caller.Project, trace_id, ct);
        if (spans.Count == 0)
            throw RequestException.NotFound("trace", $"There is no trace `{trace_id}` in this project: search_traces finds them.");
        var more = spans.Count - MostSpans;
        spans = [.. spans.Take(MostSpans)];
        var metrics = (await store.Metrics.ListAsync(caller.Project, ct)).ToDictionary(metric => metric.Id);
        var names = metrics.Values.ToDictionary(metric => metric.Id, metric => metric.Name);
        var blind = await sight.BlindAsync(caller.Project, spans, ct);
        SpanId[] ids = [.. spans.Select(span => span.Id)];
        var verdicts = (await store.Verdicts.CurrentAsync(caller.Project, ids, ct)).ToLookup(verdict => verdict.Span);
        var labels = (await store.Labels.OfSpansAsync(caller.Project, ids, ct)).ToLookup(label => label.Span);
        var corrections = (await store.Corrections.OfSpansAsync(caller.Project, ids, ct)).ToLookup(correction => correction.Span);
        var withheld = new SortedSet<string>(StringComparer.Ordinal);
        bool Hidden(Span span, Metric metric, bool judgesOnly)
        {
            if ((judgesOnly && !sight.IsJudge(metric)) || !blind.Contains(span.Id, span.Key, metric))
                return false;
            withheld.Add(metric.Name);
            return true;
        }

        var views = spans.Select(span => Short(
            SpanView.Of(
                span,
                [.. verdicts[span.Id].Where(verdict => !Hidden(span, metrics[verdict.Metric], judgesOnly: true)).Select(verdict => VerdictView.Of(verdict, names))],
                [.. labels[span.Id].Where(label => !Hidden(span, metrics[label.Metric], judgesOnly: false)).Select(label => LabelView.Of(label, span.Key, names))],
                [.. corrections[span.Id].Select(correction => CorrectionView.Of(correction, span.Key))]),
            max_chars, attributes)).ToArray();
        return new AgentTrace(
            trace_id, views, [.. (await store.Feedback.OfTraceAsync(caller.Project, trace_id, ct)).Select(FeedbackView.Of)], [.. withheld],
            more > 0 ? $"The trace has {more} more spans: search_traces finds them by node." : null);
    }

    async Task<ILookup<SpanId, Verdict>> VisibleAsync(IReadOnlyList<Span> spans, IReadOnlyList<Metric> metrics, CancellationToken ct)
    {
        var blind = await sight.BlindAsync(caller.Project, spans, ct);
        var byId = metrics.ToDictionary(metric => metric.Id);
        var keys = spans.ToDictionary(span => span.Id, span => span.Key);
        return (await store.Verdicts.CurrentAsync(caller.Project, [.. keys.Keys], ct))
            .Where(verdict => byId.TryGetValue(verdict.Metric, out var metric) && !(sight.IsJudge(metric) && blind.Contains(verdict.Span, keys[verdict.Span], metric)))
            .ToLookup(verdict => verdict.Span);
    }

    static SpanView Short(SpanView span, int length, bool attributes) => span with
    {
        Input = Cut(span.Input, length),
        Output = Cut(span.Output, length),
        Error = Cut(span.Error, length),
        Attributes = attributes ? span.Attributes : null,
    };

    internal static string? Cut(string? text, int length)
    {
        if (text is null || text.Length <= length)
            return text;
        var end = char.IsHighSurrogate(text[length - 1]) ? length - 1 : length;
        return string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, end)}… [{text.Length - end} more characters]");
    }

    internal static T? Choice<T>(string field, string? word) where T : struct, Enum => word is null
        ? null
        : Wire.Parse<T>(word) ?? throw RequestException.BadField(field, $"`{field}` is `{word}`: use {Wire.Choices<T>()}.");

    static DateTimeOffset? Time(string field, string? text) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw RequestException.BadField(field, $"`{field}` is `{text}`, no ISO-8601 time such as 2026-01-31T12:00:00Z.");
}
