using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Storage.Projects;

namespace Flywheel.Storage.Judging;

internal sealed class JudgeCallStore(Database database) : IJudgeCallStore
{
    public Task<KeptReply?> FindAsync(ProjectId project, string key, CancellationToken ct) =>
        database.FirstAsync(
            """
            SELECT content_hash, span_id, outcome, critique, confidence, model
            FROM judge_reply
            WHERE project_id = @project AND content_hash = @key
            """,
            row => new KeptReply(
                row.GetString(0), row.IsDBNull(1) ? null : new SpanId(row.GetInt64(1)), row.Word<Outcome>(2), row.GetString(3),
                row.DoubleOrNull(4), row.TextOrNull(5)),
            ct, ("project", project.Value), ("key", key));

    public Task<string?> ReserveAsync(CallReservation reservation, CancellationToken ct)
    {
        var (project, metric, usd, at) = reservation;
        if (!(double.IsFinite(usd) && usd >= 0))
            throw new ArgumentOutOfRangeException(nameof(reservation), usd, "must be finite and not negative");
        return database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                // The project's first: everybody takes the two in one order. What the metric refuses is given back at once.
                if (await Budgets.ReserveAsync(session, project, usd, at, ct).ConfigureAwait(false) is { } limit)
                    return limit;
                if (await Budgets.ReserveAsync(session, project, metric, usd, at, ct).ConfigureAwait(false) is not { } own)
                    return null;
                await session.ExecuteAsync(
                    """
                    UPDATE budget_use
                    SET calls = calls - 1, usd = CASE WHEN usd > @usd THEN usd - @usd ELSE 0 END
                    WHERE project_id = @project AND day = @day
                    """,
                    ct, ("usd", usd), ("project", project.Value), ("day", Timestamps.Day(at))).ConfigureAwait(false);
                return own;
            },
            ct);
    }

    public Task SettleAsync(CallReservation reservation, double actualUsd, KeptReply? reply, DateTimeOffset at, CancellationToken ct)
    {
        if (reply is null && actualUsd == reservation.ExpectedUsd)
            return Task.CompletedTask;
        return database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                await Budgets.SettleAsync(
                    session, reservation.Project, reservation.Metric, actualUsd - reservation.ExpectedUsd, reservation.At, ct)
                    .ConfigureAwait(false);
                if (reply is not null)
                    await session.ExecuteAsync(
                        """
                        INSERT INTO judge_reply (
                            project_id, content_hash, span_id, outcome, critique, confidence, model, created_at)
                        VALUES (@project, @key, @span, @outcome, @critique, @confidence, @model, @at)
                        ON CONFLICT (project_id, content_hash) DO NOTHING
                        """,
                        ct, ("project", reservation.Project.Value), ("key", reply.Key), ("span", reply.Span?.Value),
                        ("outcome", Wire.Name(reply.Verdict)), ("critique", reply.Critique), ("confidence", reply.Confidence),
                        ("model", reply.Model), ("at", at)).ConfigureAwait(false);
                return true;
            },
            ct);
    }

    public Task SetBudgetAsync(
        ProjectId project, MetricId metric, int? callsPerDay, double? usdPerDay, string author, DateTimeOffset at, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(callsPerDay ?? 0, nameof(callsPerDay));
        if (usdPerDay is { } usd && !(double.IsFinite(usd) && usd >= 0))
            throw new ArgumentOutOfRangeException(nameof(usdPerDay), usd, "must be finite and not negative");
        return database.WriteAsync(
            Urgency.Interactive,
            async session =>
            {
                await session.ExecuteAsync(
                    """
                    INSERT INTO metric_budget (project_id, metric_id, calls_per_day, usd_per_day)
                    SELECT project_id, id, @calls, @usd FROM metric WHERE project_id = @project AND id = @metric
                    ON CONFLICT (project_id, metric_id) DO UPDATE
                    SET calls_per_day = excluded.calls_per_day, usd_per_day = excluded.usd_per_day
                    """,
                    ct, ("calls", callsPerDay), ("usd", usdPerDay), ("project", project.Value), ("metric", metric.Value))
                    .ConfigureAwait(false);
                await AuditStore.AppendAsync(
                    database, session, project, at, author, "metric.budget",
                    metric.Value.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    JsonSerializer.Serialize(new { calls_per_day = callsPerDay, usd_per_day = usdPerDay }), ct).ConfigureAwait(false);
                return true;
            },
            ct);
    }

    public async Task<MetricBudget> BudgetAsync(ProjectId project, MetricId metric, DateTimeOffset now, CancellationToken ct) =>
        (await database.QueryAsync(
            """
            SELECT budget.calls_per_day, budget.usd_per_day, coalesce(used.calls, 0), coalesce(used.usd, 0)
            FROM metric
            LEFT JOIN metric_budget AS budget ON budget.project_id = metric.project_id AND budget.metric_id = metric.id
            LEFT JOIN metric_budget_use AS used ON used.project_id = metric.project_id AND used.metric_id = metric.id AND used.day = @day
            WHERE metric.project_id = @project AND metric.id = @metric
            """,
            row => new MetricBudget(row.IntOrNull(0), row.DoubleOrNull(1), row.GetInt64(2), row.GetDouble(3)),
            ct, ("day", Timestamps.Day(now)), ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false)).FirstOrDefault()
        ?? new(null, null, 0, 0);

    public Task<int> TrimAsync(int keep, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(keep);
        return database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                var gone = 0;
                foreach (var project in await session.QueryAsync("SELECT id FROM project ORDER BY id", row => row.GetInt64(0), ct)
                    .ConfigureAwait(false))
                    gone += await session.ExecuteAsync(
                        """
                        DELETE FROM judge_reply
                        WHERE project_id = @project AND created_at <= (
                            SELECT created_at FROM judge_reply
                            WHERE project_id = @project
                            ORDER BY created_at DESC
                            LIMIT 1 OFFSET @keep)
                        """,
                        ct, ("project", project), ("keep", keep)).ConfigureAwait(false);
                return gone;
            },
            ct);
    }
}
