using System.Data.Common;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Judging;

internal sealed class ServingStore(Database database) : IServingStore
{
    public Task<IReadOnlyList<Served>> ServeAsync(
        ProjectId project, IReadOnlyList<Served> items, DateTimeOffset at, CancellationToken ct) =>
        items.Count == 0
            ? Task.FromResult<IReadOnlyList<Served>>([])
            : database.WriteAsync<IReadOnlyList<Served>>(
                Urgency.Interactive,
                async session =>
                {
                    var served = new List<Served>(items.Count);
                    foreach (var item in items)
                        served.Add((await session.FirstAsync(
                            """
                            INSERT INTO review_served (project_id, span_id, metric_id, mode, validator_version, outcome, created_at)
                            VALUES (@project, @span, @metric, @mode, @version, @outcome, @at)
                            ON CONFLICT (project_id, span_id, metric_id) DO UPDATE
                            SET validator_version = excluded.validator_version, outcome = excluded.outcome
                            RETURNING span_id, metric_id, mode, validator_version, outcome
                            """,
                            Read, ct, ("project", project.Value), ("span", item.Span.Value), ("metric", item.Metric.Value),
                            ("mode", Wire.Name(item.Mode)), ("version", item.ValidatorVersion), ("outcome", Wire.Name(item.Suggestion)),
                            ("at", at))
                            .ConfigureAwait(false))!);
                    return served;
                },
                ct);

    public Task<Served?> FindAsync(ProjectId project, SpanId span, MetricId metric, CancellationToken ct) =>
        database.FirstAsync(
            """
            SELECT span_id, metric_id, mode, validator_version, outcome
            FROM review_served
            WHERE project_id = @project AND span_id = @span AND metric_id = @metric
            """,
            Read, ct, ("project", project.Value), ("span", span.Value), ("metric", metric.Value));

    public async Task<IReadOnlyList<Served>> OfSpansAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0 ? [] : await database.QueryAsync(
            """
            SELECT span_id, metric_id, mode, validator_version, outcome
            FROM review_served
            WHERE project_id = @project AND span_id IN (@spans)
            """,
            Read, ct, ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    public async Task<IReadOnlyList<ServedAgreement>> AgreementAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT served.mode, count(CASE WHEN served.outcome = CASE label.passed WHEN 1 THEN 'pass' ELSE 'fail' END THEN 1 END), count(*)
            FROM review_served AS served
            JOIN label ON label.project_id = served.project_id AND label.span_id = served.span_id AND label.metric_id = served.metric_id
            WHERE served.project_id = @project AND served.metric_id = @metric AND label.propensity IS NULL AND label.passed IS NOT NULL
                AND served.validator_version NOT LIKE @proposal AND label.created_at >= served.created_at
            GROUP BY served.mode
            """,
            row => new ServedAgreement(row.Word<ServedMode>(0), row.GetInt64(1), row.GetInt64(2)),
            ct, ("project", project.Value), ("metric", metric.Value), ("proposal", Served.ByProposal + "%")).ConfigureAwait(false);

    public async Task<IReadOnlyList<SegmentedLabel>> SegmentedLabelsAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT verdict.metric_version_id, verdict.validator_version, verdict.outcome, gold.passed, gold.chance, span.end_user, span.attributes
            FROM gold
            JOIN current_verdict AS verdict ON verdict.project_id = gold.project_id AND verdict.span_id = gold.span_id
                AND verdict.metric_id = gold.metric_id
            JOIN span ON span.project_id = gold.project_id AND span.id = gold.span_id
            WHERE gold.project_id = @project AND gold.metric_id = @metric AND gold.chance >= 0 AND verdict.outcome IN ('pass', 'fail')
            ORDER BY gold.span_id
            """,
            row => new SegmentedLabel(
                new(row.GetInt64(0)), row.GetString(1), row.GetString(2) == "pass", row.YesNo(3), row.GetDouble(4),
                Segments.Of(row.TextOrNull(5), row.TextOrNull(6))),
            ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);

    public async Task<IReadOnlyList<PersonsAnswer>> RatingsAsync(ProjectId project, MetricId metric, CancellationToken ct)
    {
        var all = await database.QueryAsync(
            """
            SELECT span_id, author, passed
            FROM label
            WHERE project_id = @project AND metric_id = @metric AND mode = 'blind' AND adjudicates = 0 AND passed IS NOT NULL
            ORDER BY created_at, id
            """,
            row => new PersonsAnswer(new(row.GetInt64(0)), row.GetString(1), row.YesNo(2)),
            ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
        return
        [
            .. all.GroupBy(rating => (rating.Span, rating.Author)).Select(same => same.Last())
                .GroupBy(rating => rating.Span).Where(ratings => ratings.Count() > 1).SelectMany(ratings => ratings),
        ];
    }

    static Served Read(DbDataReader row) => new(
        new(row.GetInt64(0)), new(row.GetInt64(1)), row.Word<ServedMode>(2), row.GetString(3), row.Word<Outcome>(4));
}
