using Flywheel.Core;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Traces;

/// <summary>What the application did: traces as people and agents read them.</summary>
public sealed class TraceService(
    ISpanStore spans, IMetricStore metrics, IVerdictStore verdicts, ILabelStore labels, ICorrectionStore corrections,
    IFeedbackStore feedback, AgentVisibility visibility)
{
    /// <summary>Spans of one trace that an agent reads.</summary>
    const int MostForAgents = 200;

    /// <summary>The newest traces first.</summary>
    /// <exception cref="RequestException"><c>invalid_limit</c>.</exception>
    public Task<Page<TraceSummary>> ListAsync(Caller caller, TraceFilter filter, CancellationToken ct)
    {
        PageSize.Check(filter.Limit);
        return spans.ListTracesAsync(caller.Project, filter, ct);
    }

    /// <summary>One trace: its spans with verdicts, labels and corrections.</summary>
    /// <param name="blind">Leaves out the verdicts of judges and all labels, for a person who is to label blind.</param>
    /// <exception cref="RequestException"><c>unknown_trace</c>.</exception>
    public async Task<TraceReading> ReadAsync(Caller caller, string traceId, bool blind, CancellationToken ct) => await ReadAsync(
        caller.Project, traceId, await TraceAsync(caller.Project, traceId, ct), 0,
        (_, metric, isLabel) => blind && (isLabel || visibility.IsJudge(metric)), ct);

    /// <summary>One trace as an agent reads it: what people are still to label blind is left out.</summary>
    /// <exception cref="RequestException"><c>unknown_trace</c>.</exception>
    public async Task<TraceReading> ReadForAgentAsync(Caller caller, string traceId, CancellationToken ct)
    {
        var all = await TraceAsync(caller.Project, traceId, ct);
        IReadOnlyList<Span> shown = [.. all.Take(MostForAgents)];
        var pairs = await visibility.BlindAsync(caller.Project, shown, ct);
        return await ReadAsync(
            caller.Project, traceId, shown, all.Count - shown.Count,
            (span, metric, isLabel) => (isLabel || visibility.IsJudge(metric)) && pairs.Contains(span.Id, span.Key, metric), ct);
    }

    async Task<IReadOnlyList<Span>> TraceAsync(ProjectId project, string traceId, CancellationToken ct)
    {
        var found = await spans.TraceAsync(project, traceId, ct);
        return found.Count > 0
            ? found
            : throw RequestException.NotFound("trace", $"There is no trace `{traceId}` in this project.", "trace_id");
    }

    /// <param name="isHidden">Whether the verdict (false) or the labels (true) of a metric on a span are left out.</param>
    async Task<TraceReading> ReadAsync(
        ProjectId project, string traceId, IReadOnlyList<Span> shown, int more, Func<Span, Metric, bool, bool> isHidden,
        CancellationToken ct)
    {
        SpanId[] ids = [.. shown.Select(span => span.Id)];
        var known = (await metrics.ListAsync(project, ct)).ToDictionary(metric => metric.Id);
        var said = (await verdicts.CurrentAsync(project, ids, ct)).ToLookup(verdict => verdict.Span);
        var labelled = (await labels.OfSpansAsync(project, ids, ct)).ToLookup(label => label.Span);
        var corrected = (await corrections.OfSpansAsync(project, ids, ct)).ToLookup(correction => correction.Span);
        var withheld = new SortedSet<string>(StringComparer.Ordinal);
        bool IsShown(Span span, MetricId id, bool isLabel)
        {
            if (!known.TryGetValue(id, out var metric) || !isHidden(span, metric, isLabel))
                return true;
            withheld.Add(metric.Name);
            return false;
        }

        SpanReading[] readings =
        [
            .. shown.Select(span => new SpanReading(
                span,
                [.. said[span.Id].Where(verdict => IsShown(span, verdict.Metric, isLabel: false))],
                [.. labelled[span.Id].Where(label => IsShown(span, label.Metric, isLabel: true))],
                [.. corrected[span.Id]])),
        ];
        return new(
            traceId, readings, await feedback.OfTraceAsync(project, traceId, ct),
            known.ToDictionary(each => each.Key, each => each.Value.Name), withheld, more);
    }
}
