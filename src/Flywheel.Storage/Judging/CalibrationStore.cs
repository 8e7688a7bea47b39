using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Storage.Judging;

internal sealed class CalibrationStore(Database database) : ICalibrationStore
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { IgnoreReadOnlyProperties = true };

    public async Task<string?> NewestJudgeAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.FirstAsync(
            """
            SELECT judge
            FROM verdict
            WHERE project_id = @project AND metric_id = @metric AND judge IS NOT NULL
            ORDER BY span_id DESC, created_at DESC
            LIMIT 1
            """,
            row => row.GetString(0), ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);

    public async Task<IReadOnlyList<LabelledTrail>> LabelledAsync(
        ProjectId project, MetricId metric, IReadOnlyList<MetricVersionId> versions, string judge, int limit, CancellationToken ct)
    {
        var found = versions.Count == 0
            ? []
            : await database.QueryAsync(
                """
                SELECT verdict.said, gold.passed, gold.chance, verdict.created_at
                FROM gold
                JOIN current_verdict AS verdict ON verdict.project_id = gold.project_id AND verdict.span_id = gold.span_id
                    AND verdict.metric_id = gold.metric_id
                WHERE gold.project_id = @project AND gold.metric_id = @metric AND verdict.judge = @judge
                    AND (gold.chance > 0 OR gold.chance = 0 AND verdict.stands IS NULL)
                    AND verdict.metric_version_id IN (@versions)
                ORDER BY verdict.created_at DESC, verdict.span_id DESC
                LIMIT @limit
                """,
                row => JudgeTrail.Read(judge, row.TextOrNull(0)) is { } trail
                    ? new LabelledTrail(trail, row.YesNo(1), row.GetDouble(2), row.Moment(3)) : null,
                ct, ("project", project.Value), ("metric", metric.Value), ("judge", judge),
                ("versions", versions.Select(version => version.Value).ToArray()),
                ("limit", limit)).ConfigureAwait(false);
        return [.. found.OfType<LabelledTrail>()];
    }

    public Task PutAsync(JudgeCalibration calibration, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            session => session.ExecuteAsync(
                """
                INSERT INTO judge_calibration (project_id, metric_version_id, judge, labels, plan, judges, created_at)
                SELECT metric.project_id, metric_version.id, @judge, @labels, @plan, @judges, @at
                FROM metric_version
                JOIN metric ON metric.id = metric_version.metric_id
                WHERE metric_version.id = @version AND metric.project_id = @project
                ON CONFLICT (project_id, metric_version_id, judge) DO UPDATE
                SET labels = excluded.labels, plan = excluded.plan, judges = excluded.judges, created_at = excluded.created_at
                WHERE judge_calibration.created_at <= excluded.created_at
                """,
                ct, ("judge", calibration.Judge), ("labels", calibration.Labels),
                ("plan", JsonSerializer.Serialize(calibration.Plan, Json)),
                ("judges", JsonSerializer.Serialize(calibration.Judges, Json)), ("at", calibration.At),
                ("version", calibration.MetricVersion.Value),
                ("project", calibration.Project.Value)),
            ct);

    public Task<JudgeCalibration?> FindAsync(ProjectId project, MetricVersionId version, string judge, CancellationToken ct) =>
        database.FirstAsync(
            """
            SELECT labels, plan, judges, created_at
            FROM judge_calibration
            WHERE project_id = @project AND metric_version_id = @version AND judge = @judge
            """,
            row => new JudgeCalibration(
                project, version, judge, row.GetInt32(0), JsonSerializer.Deserialize<CalibrationPlan>(row.GetString(1), Json)!,
                JsonSerializer.Deserialize<IReadOnlyList<CalibratedJudge>>(row.GetString(2), Json)!, row.Moment(3)),
            ct, ("project", project.Value), ("version", version.Value), ("judge", judge));

    public async Task<StandingCounts> StandingAsync(
        ProjectId project, MetricVersionId version, MetricId metric, int limit, CancellationToken ct)
    {
        var newest = await database.QueryAsync(
            """
            SELECT outcome, stands
            FROM verdict
            WHERE project_id = @project AND metric_id = @metric AND judge IS NOT NULL AND metric_version_id = @version
                AND (outcome IN ('pass', 'fail') OR outcome = 'unsure' AND stands = 0)
            ORDER BY span_id DESC
            LIMIT @limit
            """,
            row => (Decided: row.GetString(0) != "unsure", Stands: row.IsDBNull(1) ? (bool?)null : row.YesNo(1)), ct,
            ("project", project.Value), ("metric", metric.Value), ("version", version.Value), ("limit", limit)).ConfigureAwait(false);
        return new(
            newest.Count(each => each.Decided && each.Stands == true), newest.Count(each => each.Decided && each.Stands == false),
            newest.Count(each => each.Decided && each.Stands is null), newest.Count(each => !each.Decided));
    }
}
