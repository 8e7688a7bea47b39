using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;

namespace Flywheel.Tests.Jobs;

/// <summary>Jobs in memory by the rules of the real store: leases, fences, attempts counted at the claim, ends all or none.</summary>
sealed class FakeJobStore : IJobStore
{
    readonly Lock _lock = new();
    readonly Dictionary<long, Row> _jobs = [];
    long _nextId;

    public List<PendingSpan> Pending { get; } = [];
    public Func<ProjectId, IReadOnlyList<Metric>> ActiveMetrics { get; init; } = _ => [];
    public Dictionary<(SpanId, MetricVersionId, string), Verdict> Verdicts { get; } = [];
    public List<int> EndBatches { get; } = [];
    public List<IReadOnlyList<Job>> Extended { get; } = [];
    public int? JudgeCallsPerDay { get; set; }
    public double? JudgeUsdPerDay { get; set; }
    public int JudgeCalls { get; private set; }
    public double JudgeUsd { get; private set; }

    /// <summary>Called before a batch of ends is recorded; may throw as a database does.</summary>
    public Action<IReadOnlyList<JobEnd>> OnEnd { get; set; } = _ => { };

    public Action OnFanOut { get; set; } = () => { };

    public IReadOnlyList<Job> Jobs
    {
        get { lock (_lock) return [.. _jobs.Values.Select(row => row.Job).OrderBy(job => job.Id)]; }
    }

    public Task<int> FanOutAsync(
        int limit, Func<PendingSpan, IReadOnlyList<Metric>, IReadOnlyList<Pairing>> pair, DateTimeOffset at, CancellationToken ct)
    {
        OnFanOut();
        lock (_lock)
        {
            var spans = Pending.Take(limit).ToArray();
            foreach (var span in spans)
                foreach (var pairing in pair(span, ActiveMetrics(span.Project)))
                    if (pairing.Skipped is { } reason)
                        Put(new(span.Project, span.Id, pairing.Metric.Id, pairing.Metric.VersionId, pairing.ValidatorVersion,
                            Finding.Skipped(reason), 0, at));
                    else
                        Queue(span.Project, span.Id, pairing.Metric.VersionId, pairing.Lane, at);
            Pending.RemoveRange(0, spans.Length);
            return Task.FromResult(spans.Length);
        }
    }

    public Task<IReadOnlyList<Job>> ClaimAsync(
        JobLane lane, int limit, TimeSpan lease, string worker, DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
        {
            var due = _jobs.Values.Where(row => row.Job.Lane == lane && row.Job.State == JobState.Ready && row.Job.VisibleAt <= now)
                .OrderBy(row => row.Job.VisibleAt).ThenBy(row => row.Job.Id).Take(limit).ToArray();
            foreach (var row in due)
                row.Change(row.Job with { VisibleAt = now + lease, Fence = row.Job.Fence + 1, Attempts = row.Job.Attempts + 1 },
                    isHeld: true);
            return Task.FromResult<IReadOnlyList<Job>>([.. due.Select(row => row.Job)]);
        }
    }

    public Task ExtendAsync(IReadOnlyList<Job> jobs, TimeSpan lease, DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
        {
            Extended.Add(jobs);
            foreach (var job in jobs)
                if (Held(job) is { } row)
                    row.Change(row.Job with { VisibleAt = now + lease }, isHeld: true);
        }
        return Task.CompletedTask;
    }

    public Task<IReadOnlyList<bool>> EndAsync(IReadOnlyList<JobEnd> ends, DateTimeOffset now, CancellationToken ct)
    {
        OnEnd(ends);
        lock (_lock)
        {
            EndBatches.Add(ends.Count);
            return Task.FromResult<IReadOnlyList<bool>>([.. ends.Select(end => End(end, now))]);
        }
    }

    bool End(JobEnd end, DateTimeOffset now)
    {
        if (Held(end.Job) is not { } row)
            return false;
        switch (end)
        {
            case JobEnd.Done done:
                _jobs.Remove(row.Job.Id);
                Put(done.Verdict);
                break;
            case JobEnd.Retry retry:
                row.Change(row.Job with { VisibleAt = retry.VisibleAt, Reason = retry.Reason }, isHeld: false);
                break;
            case JobEnd.Dead dead:
                row.Change(row.Job with { State = JobState.Dead, VisibleAt = now, Reason = dead.Verdict.Finding.Reason }, isHeld: false);
                Put(dead.Verdict);
                break;
        }
        return true;
    }

    void Put(Verdict verdict) => Verdicts[(verdict.Span, verdict.MetricVersion, verdict.ValidatorVersion)] = verdict;

    Row? Held(Job job) =>
        _jobs.GetValueOrDefault(job.Id) is { IsHeld: true } row && row.Job.Fence == job.Fence
            && row.Job.State == JobState.Ready ? row : null;

    void Queue(ProjectId project, SpanId span, MetricVersionId metric, JobLane lane, DateTimeOffset now)
    {
        var id = ++_nextId;
        _jobs.Add(id, new(new(id, project, span, metric, lane, JobState.Ready, 0, 0, now, null)));
    }

    public Task<int> EnqueueAsync(
        ProjectId project, MetricVersionId metric, JobLane lane, IReadOnlyList<SpanId> spans, DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
            foreach (var span in spans)
                Queue(project, span, metric, lane, now);
        return Task.FromResult(spans.Count);
    }

    public Task<Page<Job>> ListAsync(ProjectId project, JobState? state, string? cursor, int limit, CancellationToken ct) =>
        Task.FromResult(new Page<Job>([.. Jobs.Where(job => state is null || job.State == state).Take(limit)], null));

    public Task<int> RetryAsync(ProjectId project, IReadOnlyList<long>? ids, DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
        {
            var dead = _jobs.Values.Where(row => row.Job.State == JobState.Dead && (ids is null || ids.Contains(row.Job.Id))).ToArray();
            foreach (var row in dead)
                row.Change(row.Job with { State = JobState.Ready, Attempts = 0, Fence = row.Job.Fence + 1, VisibleAt = now },
                    isHeld: false);
            return Task.FromResult(dead.Length);
        }
    }

    public Task<JobCounts> CountsAsync(DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
        {
            var waiting = _jobs.Values.Where(row => row.Job.State == JobState.Ready && (!row.IsHeld || row.Job.VisibleAt <= now)).ToArray();
            return Task.FromResult(new JobCounts(
                waiting.Length,
                _jobs.Values.Count(row => row.Job.State == JobState.Ready) - waiting.Length,
                _jobs.Values.Count(row => row.Job.State == JobState.Dead),
                Pending.Count,
                waiting.Length == 0 ? null : waiting.Min(row => row.Job.VisibleAt)));
        }
    }

    public Task<string?> ReserveJudgeCallAsync(ProjectId project, double expectedUsd, DateTimeOffset now, CancellationToken ct)
    {
        lock (_lock)
        {
            if (JudgeCalls + 1 > JudgeCallsPerDay)
                return Task.FromResult<string?>($"{JudgeCallsPerDay} judge calls per day are used up");
            if (JudgeUsd + expectedUsd > JudgeUsdPerDay)
                return Task.FromResult<string?>($"the judge budget of {JudgeUsdPerDay} USD per day is used up");
            JudgeCalls++;
            JudgeUsd += expectedUsd;
            return Task.FromResult<string?>(null);
        }
    }

    public Task SettleJudgeCallAsync(
        ProjectId project, double expectedUsd, double actualUsd, DateTimeOffset reservedAt, CancellationToken ct)
    {
        lock (_lock)
            JudgeUsd += actualUsd - expectedUsd;
        return Task.CompletedTask;
    }

    sealed class Row(Job job)
    {
        public Job Job { get; private set; } = job;
        public bool IsHeld { get; private set; }

        public void Change(Job to, bool isHeld) => (Job, IsHeld) = (to, isHeld);
    }
}
