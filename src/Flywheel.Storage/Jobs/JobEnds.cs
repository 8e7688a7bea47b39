using Flywheel.Core.Jobs;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Review;
using Flywheel.Storage.Metrics;
using Flywheel.Storage.Review;

namespace Flywheel.Storage.Jobs;

/// <summary>Records how leased jobs ended: only what still holds its lease, and each effect once.</summary>
internal static class JobEnds
{
    public static async Task<IReadOnlyList<bool>> RecordAsync(
        Database database, Session session, IReadOnlyList<JobEnd> ends, DateTimeOffset now, CancellationToken ct)
    {
        foreach (var end in ends)
            if (Outcome(end) is { } verdict
                && (verdict.Project, verdict.Span, verdict.MetricVersion) != (end.Job.Project, end.Job.Span, end.Job.MetricVersion))
                throw new ArgumentException($"The verdict of job {end.Job.Id} is about another span or metric.", nameof(ends));

        if (database.LockSpans is { } hold)
            await session.ExecuteGivenAsync(
                hold, ct,
                new("project", ends.Select(end => end.Job.Project.Value).ToArray()),
                new("span", ends.Select(end => end.Job.Span.Value).ToArray())).ConfigureAwait(false);

        var held = new HashSet<long>();
        await DeleteAsync(session, [.. ends.OfType<JobEnd.Done>()], held, ct).ConfigureAwait(false);
        await RetryAsync(session, [.. ends.OfType<JobEnd.Retry>()], held, ct).ConfigureAwait(false);
        await BuryAsync(session, [.. ends.OfType<JobEnd.Dead>()], held, now, ct).ConfigureAwait(false);

        // One end a job: a second one for the same lease finds it gone.
        var recorded = ends.Select(end => held.Remove(end.Job.Id)).ToArray();
        var verdicts = ends.Where((_, i) => recorded[i]).Select(Outcome).OfType<Verdict>().ToArray();
        await VerdictStore.PutAsync(session, verdicts, ct).ConfigureAwait(false);
        await DrawAsync(session, verdicts, now, ct).ConfigureAwait(false);
        return recorded;
    }

    /// <summary>What is recorded is about the text that the job was made for.</summary>
    static Verdict? Outcome(JobEnd end) => end switch
    {
        JobEnd.Done done => done.Verdict with { Revision = end.Job.Revision },
        JobEnd.Dead dead => dead.Verdict with { Revision = end.Job.Revision },
        _ => null,
    };

    static async Task DeleteAsync(Session session, JobEnd.Done[] ends, HashSet<long> held, CancellationToken ct)
    {
        if (ends.Length > 0)
            held.UnionWith(await session.QueryGivenAsync(
                """
                DELETE FROM job
                WHERE (id, fence) IN (SELECT given.job, given.held FROM @given) AND state = 'ready' AND worker IS NOT NULL
                RETURNING id
                """,
                row => row.GetInt64(0), ct, Leases(ends)).ConfigureAwait(false));
    }

    static async Task RetryAsync(Session session, JobEnd.Retry[] ends, HashSet<long> held, CancellationToken ct)
    {
        if (ends.Length > 0)
            held.UnionWith(await session.QueryGivenAsync(
                """
                UPDATE job
                SET visible_at = given.visible, worker = NULL, reason = given.why
                FROM @given
                WHERE job.id = given.job AND job.fence = given.held AND job.state = 'ready' AND job.worker IS NOT NULL
                RETURNING id
                """,
                row => row.GetInt64(0), ct,
                [
                    .. Leases(ends),
                    new("visible", ends.Select(end => Timestamps.Micros(end.VisibleAt)).ToArray()),
                    new("why", ends.Select(end => end.Reason).ToArray()),
                ]).ConfigureAwait(false));
    }

    static async Task BuryAsync(Session session, JobEnd.Dead[] ends, HashSet<long> held, DateTimeOffset now, CancellationToken ct)
    {
        if (ends.Length > 0)
            held.UnionWith(await session.QueryGivenAsync(
                """
                UPDATE job
                SET state = 'dead', visible_at = given.visible, worker = NULL, reason = given.why
                FROM @given
                WHERE job.id = given.job AND job.fence = given.held AND job.state = 'ready' AND job.worker IS NOT NULL
                RETURNING id
                """,
                row => row.GetInt64(0), ct,
                [
                    .. Leases(ends),
                    new("visible", ends.Select(_ => Timestamps.Micros(now)).ToArray()),
                    new("why", ends.Select(end => end.Verdict.Finding.Reason).ToArray()),
                ]).ConfigureAwait(false));
    }

    static Column[] Leases(IReadOnlyList<JobEnd> ends) =>
    [
        new("job", ends.Select(end => end.Job.Id).ToArray()),
        new("held", ends.Select(end => end.Job.Fence).ToArray()),
    ];

    /// <summary>
    /// The random audit: whatever a validator decided, its span goes to a person with the project's known probability.
    /// </summary>
    /// <remarks>The draw depends on span and metric only: a second verdict of the pair draws the same.</remarks>
    static async Task DrawAsync(Session session, IReadOnlyList<Verdict> verdicts, DateTimeOffset now, CancellationToken ct)
    {
        var decided = verdicts
            .Where(verdict => verdict.Finding.Outcome is Core.Metrics.Outcome.Pass or Core.Metrics.Outcome.Fail
            or Core.Metrics.Outcome.Unsure)
            .ToArray();
        if (decided.Length == 0)
            return;
        // A metric whose judge raised an alarm is audited more, until a person closed it.
        var alarmed = (await session.QueryAsync(
            "SELECT project_id, metric_id FROM judge_alarm WHERE closed_at IS NULL AND project_id IN (@projects)",
            row => (Project: row.GetInt64(0), Metric: row.GetInt64(1)), ct,
            ("projects", decided.Select(verdict => verdict.Project.Value).Distinct().ToArray())).ConfigureAwait(false)).ToHashSet();
        var set = (await session.QueryAsync(
            "SELECT id, audit_rate FROM project WHERE id IN (@projects)",
            row => (Id: row.GetInt64(0), Rate: row.GetDouble(1)), ct,
            ("projects", decided.Select(verdict => verdict.Project.Value).Distinct().ToArray())).ConfigureAwait(false))
            .ToDictionary(project => project.Id, project => project.Rate);
        double RateOf(Verdict verdict) => alarmed.Contains((verdict.Project.Value, verdict.Metric.Value))
            ? Math.Max(set.GetValueOrDefault(verdict.Project.Value), JudgeAlarm.RaisedAuditRate)
            : set.GetValueOrDefault(verdict.Project.Value);
        decided = decided.Where(verdict => RateOf(verdict) > 0).ToArray();
        if (decided.Length == 0)
            return;
        var names = (await session.QueryAsync(
            "SELECT id, name FROM metric WHERE id IN (@metrics)",
            row => (Id: row.GetInt64(0), Name: row.GetString(1)), ct,
            ("metrics", decided.Select(verdict => verdict.Metric.Value).Distinct().ToArray())).ConfigureAwait(false))
            .ToDictionary(metric => metric.Id, metric => metric.Name);
        var keys = (await session.QueryAsync(
            "SELECT id, trace_id, span_id FROM span WHERE project_id IN (@projects) AND id IN (@spans)",
            row => (Id: row.GetInt64(0), Key: new Core.Traces.SpanKey(row.GetString(1), row.GetString(2))), ct,
            ("projects", decided.Select(verdict => verdict.Project.Value).Distinct().ToArray()),
            ("spans", decided.Select(verdict => verdict.Span.Value).Distinct().ToArray())).ConfigureAwait(false))
            .ToDictionary(span => span.Id, span => span.Key);

        double DrawOf(Verdict verdict) => Applicability.Draw("audit:" + names[verdict.Metric.Value], keys[verdict.Span.Value]);
        var drawn = decided.Where(verdict => DrawOf(verdict) < RateOf(verdict)).ToArray();
        foreach (var ofProject in drawn.GroupBy(verdict => verdict.Project))
            await ReviewStore.PutAsync(
                session, ofProject.Key,
                ofProject.Select(verdict => new ReviewPick(
                    verdict.Span, verdict.Metric, ReviewReason.RandomAudit, "drawn at random", 1 - DrawOf(verdict) / RateOf(verdict),
                    RateOf(verdict)))
                    .ToArray(),
                now, ct).ConfigureAwait(false);
    }
}
