using System.Globalization;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Judging;

/// <summary>Books judges' calls against the budgets of one UTC day, inside a transaction.</summary>
internal static class Budgets
{
    /// <summary>Sums of small costs may end a hair above a limit that they equal.</summary>
    const double CentDust = 1e-9;

    /// <returns>Null when granted; otherwise the project's exhausted limit in words.</returns>
    public static async Task<string?> ReserveAsync(
        Session session, ProjectId project, double expectedUsd, DateTimeOffset now, CancellationToken ct)
    {
        // One statement decides and books, so two judges never share the last call.
        var granted = await session.NumberAsync(
            """
            INSERT INTO budget_use (project_id, day, calls, usd)
            SELECT id, @day, 1, @usd
            FROM project
            WHERE id = @project AND (judge_calls_per_day IS NULL OR judge_calls_per_day >= 1)
                AND (judge_usd_per_day IS NULL OR judge_usd_per_day + @dust >= @usd)
            ON CONFLICT (project_id, day) DO UPDATE
            SET calls = budget_use.calls + 1, usd = budget_use.usd + excluded.usd
            WHERE EXISTS (
                SELECT 1 FROM project
                WHERE id = budget_use.project_id
                    AND (judge_calls_per_day IS NULL OR judge_calls_per_day >= budget_use.calls + 1)
                    AND (judge_usd_per_day IS NULL OR judge_usd_per_day + @dust >= budget_use.usd + excluded.usd))
            RETURNING calls
            """,
            ct, ("day", Timestamps.Day(now)), ("usd", expectedUsd), ("project", project.Value), ("dust", CentDust)).ConfigureAwait(false);
        if (granted is not null)
            return null;
        var limits = await session.QueryAsync(
            """
            SELECT judge_calls_per_day, judge_usd_per_day,
                coalesce((SELECT calls FROM budget_use WHERE project_id = @project AND day = @day), 0)
            FROM project
            WHERE id = @project
            """,
            row => (Calls: row.IntOrNull(0), Usd: row.DoubleOrNull(1), Used: row.GetInt64(2)),
            ct, ("project", project.Value), ("day", Timestamps.Day(now))).ConfigureAwait(false);
        return limits is [var limit] ? Exhausted("", limit.Calls, limit.Usd, limit.Used) : "no such project";
    }

    /// <returns>Null when granted or when the metric has no limits of its own; otherwise the exhausted limit in words.</returns>
    public static async Task<string?> ReserveAsync(
        Session session, ProjectId project, string metric, double expectedUsd, DateTimeOffset now, CancellationToken ct)
    {
        var granted = await session.NumberAsync(
            """
            INSERT INTO metric_budget_use (project_id, metric_id, day, calls, usd)
            SELECT metric.project_id, metric.id, @day, 1, @usd
            FROM metric
            LEFT JOIN metric_budget AS budget ON budget.project_id = metric.project_id AND budget.metric_id = metric.id
            WHERE metric.project_id = @project AND metric.name = @metric
                AND (budget.calls_per_day IS NULL OR budget.calls_per_day >= 1)
                AND (budget.usd_per_day IS NULL OR budget.usd_per_day + @dust >= @usd)
            ON CONFLICT (project_id, metric_id, day) DO UPDATE
            SET calls = metric_budget_use.calls + 1, usd = metric_budget_use.usd + excluded.usd
            WHERE NOT EXISTS (
                SELECT 1 FROM metric_budget AS budget
                WHERE budget.project_id = metric_budget_use.project_id AND budget.metric_id = metric_budget_use.metric_id
                    AND (budget.calls_per_day < metric_budget_use.calls + 1
                        OR budget.usd_per_day + @dust < metric_budget_use.usd + excluded.usd))
            RETURNING calls
            """,
            ct, ("day", Timestamps.Day(now)), ("usd", expectedUsd), ("project", project.Value), ("metric", metric), ("dust", CentDust))
            .ConfigureAwait(false);
        if (granted is not null)
            return null;
        var limits = await session.QueryAsync(
            """
            SELECT budget.calls_per_day, budget.usd_per_day, coalesce((
                SELECT calls FROM metric_budget_use AS used
                WHERE used.project_id = budget.project_id AND used.metric_id = budget.metric_id AND used.day = @day), 0)
            FROM metric
            JOIN metric_budget AS budget ON budget.project_id = metric.project_id AND budget.metric_id = metric.id
            WHERE metric.project_id = @project AND metric.name = @metric
            """,
            row => (Calls: row.IntOrNull(0), Usd: row.DoubleOrNull(1), Used: row.GetInt64(2)),
            ct, ("project", project.Value), ("metric", metric), ("day", Timestamps.Day(now))).ConfigureAwait(false);
        // Without a row the metric is not stored: a judge that is only tried out has the project's limits.
        return limits is [var limit] ? Exhausted($" of {metric}", limit.Calls, limit.Usd, limit.Used) : null;
    }

    /// <param name="change">Actual less expected cost.</param>
    public static async Task SettleAsync(
        Session session, ProjectId project, string? metric, double change, DateTimeOffset at, CancellationToken ct)
    {
        if (change == 0)
            return;
        await session.ExecuteAsync(
            """
            UPDATE budget_use
            SET usd = CASE WHEN usd + @change > 0 THEN usd + @change ELSE 0 END
            WHERE project_id = @project AND day = @day
            """,
            ct, ("change", change), ("project", project.Value), ("day", Timestamps.Day(at))).ConfigureAwait(false);
        if (metric is not null)
            await session.ExecuteAsync(
                """
                UPDATE metric_budget_use
                SET usd = CASE WHEN usd + @change > 0 THEN usd + @change ELSE 0 END
                WHERE project_id = @project AND day = @day
                    AND metric_id = (SELECT id FROM metric WHERE project_id = @project AND name = @metric)
                """,
                ct, ("change", change), ("project", project.Value), ("day", Timestamps.Day(at)), ("metric", metric)).ConfigureAwait(false);
    }

    static string Exhausted(string whose, int? calls, double? usd, long used) => calls <= used
        ? string.Create(CultureInfo.InvariantCulture, $"{calls} judge calls per day{whose} are used up")
        : string.Create(CultureInfo.InvariantCulture, $"the judge budget{whose} of {usd:0.####} USD per day is used up");
}
