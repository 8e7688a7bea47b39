using System.ComponentModel;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Traces;
using Flywheel.Server.Features.Traces;
using ModelContextProtocol.Server;

namespace Flywheel.Server.Features.Mcp;

/// <param name="Outcomes">Newest verdict of each metric that may be seen: <c>{"answer.short": "fail"}</c>.</param>
public sealed record FoundSpanLine(
    string TraceId, string SpanId, string Node, string Kind, DateTimeOffset StartedAt, string? Input, string? Output, string? Error,
    string? Model,
    IReadOnlyDictionary<string, string> Outcomes);

/// <param name="Next">Cursor of the following page; a page may be short or empty and have one all the same.</param>
public sealed record FoundSpans(IReadOnlyList<FoundSpanLine> Spans, string? Next);

public sealed record AgentTrace(
    string TraceId, IReadOnlyList<SpanView> Spans, IReadOnlyList<FeedbackView> Feedback, IReadOnlyList<string> WithheldMetrics,
    string? Note);

/// <summary>Finding and reading what the application did.</summary>
sealed class TraceTools(SpanSearchService search, TraceService traces, AgentCaller caller)
{
    const int Preview = 300;

    [McpServerTool(Name = "search_traces", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Find spans (calls of nodes) of the application, newest first, with their trace ids and the start of their texts. All "
        + "filters must fit.")]
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
        var page = await search.SearchAsync(caller.Caller, new(text, node, kind, outcome, metric, failed, from, to, cursor, limit), ct);
        return new FoundSpans([.. page.Items.Select(LineOf)], page.Next);
    }

    static FoundSpanLine LineOf(SpanHit hit)
    {
        var it = hit.Span.Content;
        return new(
            it.Key.Trace, it.Key.Span, it.Node, Wire.Name(it.Kind), it.StartedAt, ShortText.Of(it.Input, Preview),
            ShortText.Of(it.Output, Preview),
            ShortText.Of(it.Error, Preview), it.Model, hit.Outcomes.ToDictionary(each => each.Key, each => Wire.Name(each.Value)));
    }

    [McpServerTool(Name = "read_trace", ReadOnly = true, Idempotent = true, OpenWorld = false)]
    [Description("Read one trace: its spans by start, with verdicts, labels, corrections and feedback. What people are still to label "
        + "blind is withheld.")]
    public async Task<AgentTrace> ReadAsync(
        [Description("Id of the trace")] string trace_id,
        CancellationToken ct,
        [Description("Characters of each text, 100 to 100000; longer ones are cut and say so")] int max_chars = 4000,
        [Description("With attributes, which can be long")] bool attributes = false)
    {
        if (max_chars is < 100 or > 100_000)
            throw RequestException.BadField("max_chars", $"`max_chars` is {max_chars}: use 100 to 100000.");
        var it = await traces.ReadForAgentAsync(caller.Caller, trace_id, ct);
        return new AgentTrace(
            trace_id, [.. it.Spans.Select(span => Short(SpanView.Of(span, it.Metrics), max_chars, attributes))],
            [.. it.Feedback.Select(FeedbackView.Of)],
            [.. it.Withheld], it.MoreSpans > 0 ? $"The trace has {it.MoreSpans} more spans: search_traces finds them by node." : null);
    }

    static SpanView Short(SpanView span, int length, bool attributes) => span with
    {
        Input = ShortText.Of(span.Input, length),
        Output = ShortText.Of(span.Output, length),
        Error = ShortText.Of(span.Error, length),
        Attributes = attributes ? span.Attributes : null,
    };
}
