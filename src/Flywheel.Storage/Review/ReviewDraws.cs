using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Review;

/// <summary>What the planner reads and keeps.</summary>
internal sealed partial class ReviewStore
{
    public async Task<IReadOnlyList<ReviewPair>> DrawnAsync(ProjectId project, IReadOnlyList<SpanId> spans, CancellationToken ct) =>
        spans.Count == 0 ? [] : await database.QueryAsync(
            """
            SELECT DISTINCT span_id, metric_id
            FROM review_pick
            WHERE project_id = @project AND span_id IN (@spans) AND propensity IS NOT NULL
            """,
            row => new ReviewPair(new(row.GetInt64(0)), new(row.GetInt64(1))), ct,
            ("project", project.Value), ("spans", spans.Select(span => span.Value).ToArray())).ConfigureAwait(false);

    /// <summary>How far back the newest unlabelled pairs are looked for, in spans.</summary>
    const int Reach = 20_000;

    public async Task<IReadOnlyList<UndrawnPair>> UndrawnAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct) =>
        [.. (await database.QueryAsync(
            """
            SELECT span.id, span.trace_id, span.span_id, span.input, span.output, verdict.outcome, coalesce(verdict.confidence, verdict.raw_confidence), verdict.created_at,
                (SELECT max(earlier.label_chance) FROM verdict AS earlier
                    WHERE earlier.project_id = verdict.project_id AND earlier.span_id = verdict.span_id AND earlier.metric_id = verdict.metric_id),
                (SELECT drawn.propensity FROM review_pick AS drawn
                    WHERE drawn.project_id = verdict.project_id AND drawn.span_id = verdict.span_id AND drawn.metric_id = verdict.metric_id
                        AND drawn.reason = 'randomaudit')
            FROM verdict
            JOIN span ON span.project_id = verdict.project_id AND span.id = verdict.span_id
            WHERE verdict.project_id = @project AND verdict.metric_id = @metric AND verdict.label_chance IS NULL AND verdict.model IS NOT NULL
                AND verdict.outcome IN ('pass', 'fail', 'unsure')
            ORDER BY verdict.created_at, verdict.span_id
            LIMIT @limit
            """,
            row => new UndrawnPair(
                new(row.GetInt64(0)), new(row.GetString(1), row.GetString(2)), row.TextOrNull(3), row.TextOrNull(4), row.Word<Outcome>(5),
                row.DoubleOrNull(6), row.Moment(7), row.DoubleOrNull(8), row.DoubleOrNull(9) ?? 0),
            ct, ("project", project.Value), ("metric", metric.Value), ("limit", limit)).ConfigureAwait(false))
                .DistinctBy(pair => pair.Span)];

    public async Task<long> CountUndrawnAsync(ProjectId project, MetricId metric, CancellationToken ct) =>
        await database.NumberAsync(
            """
            SELECT count(*) FROM verdict
            WHERE project_id = @project AND metric_id = @metric AND label_chance IS NULL AND model IS NOT NULL
                AND outcome IN ('pass', 'fail', 'unsure')
            """,
            ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false) ?? 0;

    public Task KeepDrawAsync(
        ProjectId project, MetricId metric, IReadOnlyList<ConsideredPair> pairs, DateTimeOffset at, CancellationToken ct) =>
        pairs.Count == 0 ? Task.CompletedTask : database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                // In span order, as all who hold several spans.
                var all = pairs.OrderBy(pair => pair.Span.Value).ToArray();
                Column[] given =
                [
                    new("project", all.Select(_ => project.Value).ToArray()), new("span", all.Select(pair => pair.Span.Value).ToArray()),
                    new("metric", all.Select(_ => metric.Value).ToArray()), new("chance", all.Select(pair => pair.Chance).ToArray()),
                ];
                if (database.LockSpans is { } hold)
                    await session.ExecuteGivenAsync(hold, ct, given[..2]).ConfigureAwait(false);
                await session.ExecuteGivenAsync(
                    """
                    UPDATE verdict SET label_chance = given.chance
                    FROM @given
                    WHERE verdict.project_id = given.project AND verdict.span_id = given.span AND verdict.metric_id = given.metric
                        AND verdict.label_chance IS NULL
                    """,
                    ct, given).ConfigureAwait(false);
                // What the audit drew has the chance of both draws together.
                await session.ExecuteGivenAsync(
                    """
                    UPDATE review_pick SET propensity = given.chance
                    FROM @given
                    WHERE review_pick.project_id = given.project AND review_pick.span_id = given.span AND review_pick.metric_id = given.metric
                        AND review_pick.reason = 'randomaudit' AND review_pick.propensity < given.chance
                    """,
                    ct, given).ConfigureAwait(false);
                var drawn = all.Where(pair => pair.Place is not null).ToArray();
                // Drawn items are served blind, also those that were shown with a suggestion which nobody has answered.
                if (drawn.Length > 0)
                    await session.ExecuteGivenAsync(
                        """
                        DELETE FROM review_served
                        WHERE mode = 'suggested' AND (project_id, span_id, metric_id) IN (SELECT given.project, given.span, given.metric FROM @given)
                            AND NOT EXISTS (
                                SELECT 1 FROM label
                                WHERE label.project_id = review_served.project_id AND label.span_id = review_served.span_id
                                    AND label.metric_id = review_served.metric_id)
                        """,
                        ct, new("project", drawn.Select(_ => project.Value).ToArray()),
                        new("span", drawn.Select(pair => pair.Span.Value).ToArray()),
                        new("metric", drawn.Select(_ => metric.Value).ToArray())).ConfigureAwait(false);
                return await PutAsync(
                    session, project,
                    [.. drawn.Select(pair => new ReviewPick(
                        pair.Span, metric, ReviewReason.RandomAudit, "drawn with a known chance", pair.Place!.Value, pair.Chance))],
                    at, ct).ConfigureAwait(false);
            },
            ct);

    public async Task<IReadOnlyList<SpanId>> UnlabelledAsync(ProjectId project, MetricId metric, int limit, CancellationToken ct) =>
        await database.QueryAsync(
            """
            SELECT DISTINCT span_id
            FROM verdict
            WHERE project_id = @project AND metric_id = @metric AND outcome IN ('pass', 'fail', 'unsure')
                AND span_id > (SELECT max(id) FROM span WHERE project_id = @project) - @reach
                AND NOT EXISTS (
                    SELECT 1 FROM label
                    WHERE label.project_id = verdict.project_id AND label.span_id = verdict.span_id AND label.metric_id = verdict.metric_id)
            ORDER BY span_id DESC
            LIMIT @limit
            """,
            row => new SpanId(row.GetInt64(0)), ct,
            ("project", project.Value), ("metric", metric.Value), ("reach", (long)Reach), ("limit", limit)).ConfigureAwait(false);

    public Task RankAsync(ProjectId project, MetricId metric, IReadOnlyList<ReviewPick> picks, DateTimeOffset at, CancellationToken ct) =>
        database.WriteAsync(
            Urgency.Background,
            async session =>
            {
                // Of what was shown the pick stays: a label of it is an answer to a pick, whenever it comes.
                await session.ExecuteAsync(
                    """
                    DELETE FROM review_pick
                    WHERE project_id = @project AND metric_id = @metric AND reason IN ('lowscore', 'unsure') AND propensity IS NULL
                        AND shown_at IS NULL
                    """,
                    ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
                await session.ExecuteAsync(
                    """
                    UPDATE review_pick SET priority = 0.000001
                    WHERE project_id = @project AND metric_id = @metric AND reason IN ('lowscore', 'unsure') AND propensity IS NULL
                    """,
                    ct, ("project", project.Value), ("metric", metric.Value)).ConfigureAwait(false);
                await PutAsync(session, project, picks, at, ct).ConfigureAwait(false);
                return await session.ExecuteGivenAsync(
                    """
                    UPDATE review_pick SET priority = given.urgency, detail = given.detail
                    FROM @given
                    WHERE review_pick.project_id = given.project AND review_pick.span_id = given.span AND review_pick.metric_id = given.metric
                        AND review_pick.reason = given.why AND review_pick.propensity IS NULL AND review_pick.priority <> given.urgency
                    """,
                    ct,
                    new("project", picks.Select(_ => project.Value).ToArray()),
                    new("span", picks.Select(pick => pick.Span.Value).ToArray()),
                    new("metric", picks.Select(_ => metric.Value).ToArray()),
                    new("why", picks.Select(pick => Wire.Name(pick.Reason)).ToArray()),
                    new("urgency", picks.Select(pick => pick.Priority).ToArray()),
                    new("detail", picks.Select(pick => pick.Detail).ToArray()))
                    .ConfigureAwait(false);
            },
            ct);

    public async Task ShownAsync(ProjectId project, IReadOnlyList<ReviewPair> pairs, DateTimeOffset at, CancellationToken ct)
    {
        if (pairs.Count == 0)
            return;
        var unmarked = (await database.QueryAsync(
            "SELECT span_id, metric_id FROM review_pick WHERE project_id = @project AND span_id IN (@spans) AND metric_id <> 0 AND "
                + "shown_at IS NULL",
            row => new ReviewPair(new(row.GetInt64(0)), new(row.GetInt64(1))), ct,
            ("project", project.Value), ("spans", pairs.Select(pair => pair.Span.Value).Distinct().ToArray())).ConfigureAwait(false))
                .ToHashSet();
        var shown = pairs.Where(unmarked.Contains).Distinct().ToArray();
        if (shown.Length > 0)
            await database.WriteAsync(
                Urgency.Interactive,
                session => session.ExecuteGivenAsync(
                    """
                    UPDATE review_pick SET shown_at = given.at
                    FROM @given
                    WHERE review_pick.project_id = given.project AND review_pick.span_id = given.span AND review_pick.metric_id = given.metric
                        AND review_pick.shown_at IS NULL
                    """,
                    ct,
                    new("project", shown.Select(_ => project.Value).ToArray()),
                    new("span", shown.Select(pair => pair.Span.Value).ToArray()),
                    new("metric", shown.Select(pair => pair.Metric.Value).ToArray()),
                    new("at", shown.Select(_ => Timestamps.Micros(at)).ToArray())),
                ct).ConfigureAwait(false);
    }
}
