using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Traces;

namespace Flywheel.Storage.Jobs;

/// <summary>Turns waiting spans into jobs and skipped verdicts: one of the two for each active metric.</summary>
internal static class FanOut
{
    public static async Task<int> RunAsync(
        Database database, Session session, int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair,
        DateTimeOffset at, CancellationToken ct)
    {
        var spans = await database.TakePendingAsync(session, limit, ct).ConfigureAwait(false);
        var revised = await SpanTextStore.JoinAsync(session, spans, ct).ConfigureAwait(false);
        if (revised.Count > 0)
            spans = [.. spans.Select(span => revised.TryGetValue(span.Id, out var revision) ? span with { Revision = revision } : span)];
        foreach (var ofProject in spans.GroupBy(span => span.Project))
        {
            var metrics = await MetricRow.ActiveAsync(session, ofProject.Key, ct).ConfigureAwait(false);
            await RecordAsync(session, [.. ofProject], metrics, pair, at, ct).ConfigureAwait(false);
        }
        return spans.Count;
    }

    /// <summary>Records what becomes of spans of one project and metrics of it.</summary>
    /// <returns>How many pairs became jobs, and how many ended at once.</returns>
    public static async Task<(int Queued, int Skipped)> RecordAsync(
        Session session, IReadOnlyList<PendingSpan> spans, IReadOnlyList<Metric> metrics,
        Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct)
    {
        if (metrics.Count == 0 || spans.Count == 0)
            return (0, 0);
        if (metrics.Any(metric => metric.Segments is not null))
            spans = await WithSegmentsAsync(session, spans, ct).ConfigureAwait(false);
        var jobs = new List<(PendingSpan Span, Pairing Pairing)>();
        var skipped = new List<Verdict>();
        foreach (var span in spans)
            foreach (var pairing in pair(span, metrics))
                if (pairing.Skipped is null)
                    jobs.Add((span, pairing));
                else
                    skipped.Add(new(
                        span.Project, span.Id, pairing.Metric.Id, pairing.Metric.VersionId, pairing.ValidatorVersion,
                        Finding.Skipped(pairing.Skipped), LatencyMs: 0, at) { Revision = span.Revision });

        if (jobs.Count > 0)
            await session.ExecuteGivenAsync(
                """
                INSERT INTO job (project_id, span_id, metric_version_id, revision, lane, visible_at)
                SELECT project, span, version, revision, lane, visible
                FROM @given
                -- A pair that came with its verdict, from an archive, is done.
                WHERE NOT EXISTS (
                    SELECT 1 FROM verdict
                    WHERE verdict.project_id = given.project AND verdict.span_id = given.span AND verdict.metric_version_id = given.version
                        AND verdict.revision = given.revision)
                ON CONFLICT (span_id, metric_version_id, revision, project_id) DO NOTHING
                """,
                ct,
                new("project", jobs.Select(job => job.Span.Project.Value).ToArray()),
                new("span", jobs.Select(job => job.Span.Id.Value).ToArray()),
                new("version", jobs.Select(job => job.Pairing.Metric.VersionId.Value).ToArray()),
                new("revision", jobs.Select(job => (long)job.Span.Revision).ToArray()),
                new("lane", jobs.Select(job => Wire.Name(job.Pairing.Lane)).ToArray()),
                new("visible", jobs.Select(_ => Timestamps.Micros(at)).ToArray())).ConfigureAwait(false);
        await VerdictStore.PutAsync(session, skipped, ct).ConfigureAwait(false);
        return (jobs.Count, skipped.Count);
    }

    static async Task<IReadOnlyList<PendingSpan>> WithSegmentsAsync(Session session, IReadOnlyList<PendingSpan> spans, CancellationToken ct)
    {
        var found = (await session.QueryAsync(
            "SELECT id, end_user, attributes FROM span WHERE project_id = @project AND id IN (@spans)",
            row => (Id: row.GetInt64(0), Segments: Segments.Of(row.TextOrNull(1), row.TextOrNull(2))), ct,
            ("project", spans[0].Project.Value), ("spans", spans.Select(span => span.Id.Value).ToArray())).ConfigureAwait(false))
            .ToDictionary(span => span.Id, span => span.Segments);
        return [.. spans.Select(span => span with { Segments = found.GetValueOrDefault(span.Id.Value) ?? [] })];
    }
}
