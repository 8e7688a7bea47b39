using Flywheel.Core.Evaluation;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Metrics;

internal sealed class VerdictOutbox(Database database) : IVerdictOutbox
{
    public Task EnableAsync(IReadOnlyList<ProjectId> projects, CancellationToken ct) => database.WriteAsync(
        Urgency.Interactive,
        async session =>
        {
            await session.ExecuteAsync("UPDATE evaluation_export SET enabled = 0 WHERE enabled = 1", ct).ConfigureAwait(false);
            foreach (var project in projects)
                await session.ExecuteAsync(
                    """
                    INSERT INTO evaluation_export (project_id, enabled) VALUES (@project, 1)
                    ON CONFLICT (project_id) DO UPDATE SET enabled = 1
                    """,
                    ct, ("project", project.Value)).ConfigureAwait(false);
            return true;
        },
        ct);

    public Task<IReadOnlyList<OutgoingVerdict>> TakeAsync(int limit, DateTimeOffset now, DateTimeOffset until, CancellationToken ct) =>
        database.WriteAsync<IReadOnlyList<OutgoingVerdict>>(
            Urgency.Background,
            async session =>
            {
                var ids = await session.QueryAsync(
                    // The outer condition is looked at again after waiting for another process that took the row.
                    """
                    UPDATE verdict_outbox
                    SET leased_until = @until
                    WHERE leased_until <= @now AND id IN (SELECT id FROM verdict_outbox WHERE leased_until <= @now ORDER BY id LIMIT @limit)
                    RETURNING id
                    """,
                    row => row.GetInt64(0), ct, ("until", until), ("now", now), ("limit", limit)).ConfigureAwait(false);
                if (ids.Count == 0)
                    return [];
                var found = await session.QueryAsync(
                    """
                    SELECT outbox.id, verdict.project_id, verdict.span_id, verdict.metric_id, verdict.metric_version_id, verdict.validator_version,
                        verdict.outcome, verdict.score, verdict.confidence, verdict.reason, verdict.cost_usd, verdict.latency_ms, verdict.model,
                        verdict.created_at, metric.name, version.number, span.trace_id, span.span_id, span.response_id, version.validator
                    FROM verdict_outbox AS outbox
                    JOIN verdict ON verdict.project_id = outbox.project_id AND verdict.span_id = outbox.span_id
                        AND verdict.metric_version_id = outbox.metric_version_id AND verdict.validator_version = outbox.validator_version
                        AND verdict.revision = outbox.revision
                    JOIN metric ON metric.id = verdict.metric_id
                    JOIN metric_version AS version ON version.id = verdict.metric_version_id
                    JOIN span ON span.id = verdict.span_id AND span.project_id = verdict.project_id
                    WHERE outbox.id IN (@ids)
                    ORDER BY outbox.id
                    """,
                    row => (External: MetricRow.Validator(row.GetString(19)).Kind == ValidatorSpec.External, Verdict: new OutgoingVerdict(
                        row.GetInt64(0),
                        new Verdict(
                            new(row.GetInt64(1)), new(row.GetInt64(2)), new(row.GetInt64(3)), new(row.GetInt64(4)), row.GetString(5),
                            new(row.Word<Outcome>(6), row.DoubleOrNull(7), row.TextOrNull(9), row.DoubleOrNull(8), row.GetDouble(10),
                                row.TextOrNull(12)),
                            row.GetDouble(11), row.Moment(13)),
                        row.GetString(14), row.GetInt32(15), new(row.GetString(16), row.GetString(17)), row.TextOrNull(18))),
                    ct, ("ids", ids.ToArray())).ConfigureAwait(false);
                OutgoingVerdict[] sendable =
                    [.. found.Where(one => !one.External && one.Verdict.Verdict.Finding.Outcome != Outcome.Skipped)
                        .Select(one => one.Verdict)];
                // Of a deleted span, or of a verdict that came from elsewhere: nothing to send.
                var gone = ids.Except(sendable.Select(one => one.Id)).ToArray();
                if (gone.Length > 0)
                    await session.ExecuteAsync("DELETE FROM verdict_outbox WHERE id IN (@gone)", ct, ("gone", gone)).ConfigureAwait(false);
                return sendable;
            },
            ct);

    public Task DoneAsync(IReadOnlyList<long> ids, CancellationToken ct) => ids.Count == 0 ? Task.CompletedTask : database.WriteAsync(
        Urgency.Background, session =>
            session.ExecuteAsync("DELETE FROM verdict_outbox WHERE id IN (@ids)", ct, ("ids", ids.ToArray())), ct);

    public Task ReleaseAsync(IReadOnlyList<long> ids, CancellationToken ct) => ids.Count == 0 ? Task.CompletedTask : database.WriteAsync(
        Urgency.Background, session =>
            session.ExecuteAsync("UPDATE verdict_outbox SET leased_until = 0 WHERE id IN (@ids)", ct, ("ids", ids.ToArray())), ct);
}
