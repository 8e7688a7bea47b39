using System.Globalization;
using Flywheel.Core;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Review;

namespace Flywheel.Engine.Traces;

/// <summary>Finds spans for an agent. What people are still to label blind is withheld.</summary>
public sealed class SpanSearchService(ISpanStore spans, IMetricStore metrics, IVerdictStore verdicts, AgentVisibility visibility)
{
    const int MostOnPage = 100;
    const int CandidatesPerTurn = 200;
    const int MostTurns = 20;

    /// <summary>Spans that satisfy all filters, the newest first. A page may be short or empty and have a next one all the same.</summary>
    /// <exception cref="RequestException">
    /// <c>invalid_outcome</c>, <c>invalid_kind</c>, <c>invalid_from</c>, <c>invalid_to</c>, <c>invalid_limit</c>, <c>unknown_metric</c>;
    /// <c>mostly_withheld</c> if nearly all that was found is kept for blind labels.
    /// </exception>
    public async Task<Page<SpanHit>> SearchAsync(Caller caller, SpanSearchRequest request, CancellationToken ct)
    {
        if (request is { Metric: not null, Outcome: null })
            throw RequestException.BadField("outcome", "`metric` says which metric's `outcome` is looked for: give both.");
        PageSize.Check(request.Limit, MostOnPage);
        if (request.Metric is not null)
            await metrics.GetAsync(caller.Project, request.Metric, ct);
        var search = new SpanSearch(
            request.Text, request.Node, Wire.Choice<NodeKind>("kind", request.Kind), Wire.Choice<Outcome>("outcome", request.Outcome),
            request.Metric, Time("from", request.From), Time("to", request.To), request.Failed, request.Cursor, request.Limit);
        var known = (await metrics.ListAsync(caller.Project, ct)).ToDictionary(metric => metric.Id);
        return search.Outcome is null
            ? await PageAsync(caller.Project, search, known, ct)
            : await ByOutcomeAsync(caller.Project, search, known, ct);
    }

    async Task<Page<SpanHit>> PageAsync(ProjectId project, SpanSearch search, Dictionary<MetricId, Metric> known, CancellationToken ct)
    {
        var page = await spans.SearchAsync(project, search, ct);
        var blind = await visibility.BlindAsync(project, page.Items, ct);
        var keys = page.Items.ToDictionary(span => span.Id, span => span.Key);
        var visible = (await verdicts.CurrentAsync(project, [.. keys.Keys], ct))
            .Where(verdict => known.TryGetValue(verdict.Metric, out var metric)
                && !(visibility.IsJudge(metric) && blind.Contains(verdict.Span, keys[verdict.Span], metric)))
            .ToLookup(verdict => verdict.Span);
        return new(
            [.. page.Items.Select(span => new SpanHit(
                span, visible[span.Id].ToDictionary(verdict => known[verdict.Metric].Name, verdict => verdict.Finding.Outcome)))],
            page.Next);
    }

    /// <summary>
    /// A blind item that is found by its outcome would tell it, and so would a cursor that names it: pages end at shown ones.
    /// </summary>
    async Task<Page<SpanHit>> ByOutcomeAsync(ProjectId project, SpanSearch search, Dictionary<MetricId, Metric> known, CancellationToken ct)
    {
        var shown = new List<SpanHit>();
        var cursor = search.Cursor;
        for (var turn = 0; turn < MostTurns; turn++)
        {
            var page = await PageAsync(project, search with { Cursor = cursor, Limit = CandidatesPerTurn }, known, ct);
            shown.AddRange(page.Items
                .Where(hit => hit.Outcomes.Any(each =>
                    each.Value == search.Outcome && (search.Metric is null || each.Key == search.Metric)))
                .Take(search.Limit - shown.Count));
            if (shown.Count == search.Limit)
                return new(shown, shown[^1].Span.Id.Value.ToString(CultureInfo.InvariantCulture));
            if (page.Items.Count < CandidatesPerTurn)
                return new(shown, page.Next);
            cursor = page.Next;
        }
        throw new RequestException(
            RequestErrorKind.Conflict, "mostly_withheld",
            "Most of what fits is kept for blind labels: narrow the search by `node`, `from` or `to`.");
    }

    static DateTimeOffset? Time(string field, string? text) => text is null
        ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? time
            : throw RequestException.BadField(field, $"`{field}` is `{text}`, no ISO-8601 time such as 2026-01-31T12:00:00Z.");
}
