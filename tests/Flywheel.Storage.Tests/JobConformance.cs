using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class JobConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task Every_span_and_active_metric_gets_one_job_or_one_verdict()
    {
        await MetricAsync();
        await MetricAsync(NewMetric("half", sampling: 0.5));
        await MetricAsync(NewMetric("elsewhere") with { Nodes = ["other"] });
        await MetricAsync(NewMetric("idea") with { State = MetricState.Proposed });
        for (var i = 0; i < 5; i++)
            await Store.AddRawSpansAsync(Home, Enumerable.Range(0, 100).Select(_ => NewSpan()).ToArray(), Noon, Ct);

        Assert.Equal(120, await FanOutAsync(120));
        Assert.Equal(380, (await Store.Jobs.CountsAsync(Noon, Ct)).PendingSpans);
        Assert.Equal(380, await FanOutAsync());
        Assert.Equal(0, await FanOutAsync());

        var jobs = await CountAsync("job");
        var verdicts = await CountAsync("verdict");
        Assert.Equal(3 * 500, jobs + verdicts);
        Assert.Equal(3 * 500, await CountAsync(
            "(SELECT span_id, metric_version_id FROM job UNION SELECT span_id, metric_version_id FROM verdict) AS pair"));
        Assert.Equal(verdicts, await CountAsync("verdict WHERE outcome = 'skipped' AND reason <> ''"));
        Assert.InRange(jobs, 500 + 180, 500 + 320);
    }

    [Fact]
    public async Task Two_fan_outs_at_once_take_each_span_once()
    {
        await MetricAsync();
        await Store.AddRawSpansAsync(Home, Enumerable.Range(0, 1_000).Select(_ => NewSpan()).ToArray(), Noon, Ct);
        await using var other = await OpenAsync();

        var taken = await Task.WhenAll(
            FanOutAsync(), FanOutAsync(),
            other.Jobs.FanOutAsync(1_000, PairAll, Noon, Ct), other.Jobs.FanOutAsync(1_000, PairAll, Noon, Ct));
        var rest = await FanOutAsync();

        Assert.Equal(1_000, taken.Sum() + rest);
        Assert.Equal(1_000, await CountAsync("job"));
    }

    [Fact, Trait("runs", "alone")]
    public async Task A_few_of_a_long_backlog_cost_no_more_than_of_a_short_one()
    {
        // As wide as spans are: what waits is then megabytes.
        var output = new string('x', 4_000);
        await WaitAsync(2_000);
        var few = await LeastAsync();
        await WaitAsync(30_000);
        var many = await LeastAsync();

        // Collecting all that waits first takes fifteen times as long, 80 ms and more; a larger database that is no longer in
        // the caches a few milliseconds.
        Assert.True(many < 4 * few + TimeSpan.FromMilliseconds(5),
            $"{few.TotalMilliseconds:0.0} ms with 2,000 waiting, {many.TotalMilliseconds:0.0} ms with 30,000");

        async Task WaitAsync(int spans)
        {
            for (var i = 0; i < spans; i += 1_000)
                await Store.AddRawSpansAsync(
                    Home, Enumerable.Range(0, 1_000).Select(_ => NewSpan() with { Output = output }).ToArray(), Noon, Ct);
        }

        // The least of several: what else runs on the machine makes times longer, never shorter.
        async Task<TimeSpan> LeastAsync()
        {
            var times = new List<TimeSpan>();
            for (var i = 0; i < 19; i++)
            {
                var start = System.Diagnostics.Stopwatch.GetTimestamp();
                Assert.Equal(100, await FanOutAsync(100));
                times.Add(System.Diagnostics.Stopwatch.GetElapsedTime(start));
            }
            return times.Min();
        }
    }

    [Fact]
    public async Task A_fan_out_that_fails_leaves_its_spans_waiting()
    {
        await MetricAsync();
        await SpanAsync();

        await Assert.ThrowsAsync<FormatException>(() =>
            Store.Jobs.FanOutAsync(10, (_, _) => throw new FormatException("bad metric"), Noon, Ct));

        Assert.Equal(1, await FanOutAsync());
    }

    [Fact]
    public async Task A_claimed_job_is_nobody_elses_until_its_lease_ends()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await FanOutAsync();

        var job = Assert.Single(await ClaimAsync());
        Assert.Equal((span.Id, metric.VersionId, 1, JobState.Ready), (job.Span, job.MetricVersion, job.Attempts, job.State));
        Assert.Equal(Noon.AddSeconds(30), job.VisibleAt);
        Assert.Empty(await ClaimAsync(now: Noon.AddSeconds(29)));

        var again = Assert.Single(await ClaimAsync(now: Noon.AddSeconds(30)));
        Assert.Equal(2, again.Attempts);
        Assert.True(again.Fence > job.Fence);
    }

    [Fact]
    public async Task A_lost_lease_records_nothing()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await FanOutAsync();
        var lost = Assert.Single(await ClaimAsync());
        var held = Assert.Single(await ClaimAsync(now: Noon.AddMinutes(1), worker: "w2"));

        Assert.Equal([false], await Store.Jobs.EndAsync([new JobEnd.Done(lost, Verdict(span, metric, Outcome.Fail))], Noon, Ct));
        Assert.Equal([false], await Store.Jobs.EndAsync([new JobEnd.Retry(lost, Noon, "no")], Noon, Ct));
        Assert.Equal([false], await Store.Jobs.EndAsync([new JobEnd.Dead(lost, Verdict(span, metric, Outcome.Error))], Noon, Ct));
        await Store.Jobs.ExtendAsync([lost], TimeSpan.FromHours(1), Noon, Ct);
        Assert.Equal(0, await CountAsync("verdict"));

        Assert.Equal([true], await Store.Jobs.EndAsync([new JobEnd.Done(held, Verdict(span, metric))], Noon, Ct));
        Assert.Equal([false], await Store.Jobs.EndAsync([new JobEnd.Done(held, Verdict(span, metric, Outcome.Fail))], Noon, Ct));

        Assert.Equal(0, await CountAsync("job"));
        Assert.Equal(Outcome.Pass, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Outcome);
    }

    [Fact]
    public async Task Racing_workers_share_the_jobs_without_overlap()
    {
        await MetricAsync();
        await Store.AddRawSpansAsync(Home, Enumerable.Range(0, 300).Select(_ => NewSpan()).ToArray(), Noon, Ct);
        await FanOutAsync();
        await using var other = await OpenAsync();

        var claims = await Task.WhenAll(Enumerable.Range(0, 40).Select(i =>
            (i % 2 == 0 ? Store : other).Jobs.ClaimAsync(JobLane.Code, 10, TimeSpan.FromSeconds(30), $"w{i}", Noon, Ct)));

        var claimed = claims.SelectMany(jobs => jobs).Select(job => job.Id).ToList();
        Assert.Equal(claimed.Count, claimed.Distinct().Count());
        claimed.AddRange((await ClaimAsync()).Select(job => job.Id));
        Assert.Equal(300, claimed.Distinct().Count());
    }

    [Fact]
    public async Task An_extended_lease_holds_longer()
    {
        await MetricAsync();
        await SpanAsync();
        await FanOutAsync();
        var job = Assert.Single(await ClaimAsync());

        await Store.Jobs.ExtendAsync([job], TimeSpan.FromSeconds(30), Noon.AddSeconds(20), Ct);

        Assert.Empty(await ClaimAsync(now: Noon.AddSeconds(45)));
        Assert.Single(await ClaimAsync(now: Noon.AddSeconds(50)));
    }

    [Fact]
    public async Task A_mixed_batch_of_ends_is_recorded_in_the_order_given()
    {
        var metric = await MetricAsync();
        var spans = new List<Span> { await SpanAsync(), await SpanAsync(), await SpanAsync() };
        await FanOutAsync();
        var jobs = await ClaimAsync();
        Span Of(Job job) => spans.Single(span => span.Id == job.Span);

        var recorded = await Store.Jobs.EndAsync(
            [
                new JobEnd.Retry(jobs[0], Noon.AddMinutes(1), "busy"),
                new JobEnd.Done(jobs[1] with { Fence = 99 }, Verdict(Of(jobs[1]), metric)),
                new JobEnd.Dead(jobs[2], Verdict(Of(jobs[2]), metric, Outcome.Error)),
            ],
            Noon, Ct);

        Assert.Equal([true, false, true], recorded);
        var counts = await Store.Jobs.CountsAsync(Noon, Ct);
        Assert.Equal((1, 1, 1, 0), (counts.Waiting, counts.Leased, counts.Dead, counts.PendingSpans));
        Assert.Equal([jobs[1].Id], (await ClaimAsync(now: Noon.AddSeconds(59))).Select(job => job.Id));
        Assert.Equal("busy", (await ClaimAsync(now: Noon.AddMinutes(1))).Single(job => job.Id == jobs[0].Id).Reason);
        Assert.Equal(Outcome.Error, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [jobs[2].Span], Ct)).Finding.Outcome);
    }

    [Fact]
    public async Task A_verdict_about_something_else_than_the_job_is_refused()
    {
        var metric = await MetricAsync();
        await SpanAsync();
        var other = await SpanAsync();
        await FanOutAsync();
        var job = (await ClaimAsync()).First(job => job.Span != other.Id);

        await Assert.ThrowsAsync<ArgumentException>(
            () => Store.Jobs.EndAsync([new JobEnd.Done(job, Verdict(other, metric))], Noon, Ct));
    }

    [Fact]
    public async Task Dead_letters_are_listed_and_can_be_retried()
    {
        var metric = await MetricAsync();
        for (var i = 0; i < 3; i++)
            await SpanAsync();
        await FanOutAsync();
        var jobs = await ClaimAsync();
        foreach (var job in jobs)
        {
            var span = (await Store.Spans.GetAsync(Home, [job.Span], Ct))[0];
            await Store.Jobs.EndAsync([new JobEnd.Dead(job, Verdict(span, metric, Outcome.Error))], Noon, Ct);
        }

        var page = await Store.Jobs.ListAsync(Home, JobState.Dead, null, 2, Ct);
        Assert.Equal(2, page.Items.Count);
        Assert.Single((await Store.Jobs.ListAsync(Home, JobState.Dead, page.Next, 2, Ct)).Items);
        Assert.Empty(await ClaimAsync(now: Noon.AddDays(1)));

        Assert.Equal(1, await Store.Jobs.RetryAsync(Home, [jobs[0].Id], Noon, Ct));
        Assert.Equal(2, await Store.Jobs.RetryAsync(Home, null, Noon, Ct));
        var ready = await ClaimAsync();
        Assert.Equal([1, 1, 1], ready.Select(job => job.Attempts));
        Assert.All(ready, job => Assert.DoesNotContain(jobs, old => old.Id == job.Id && old.Fence == job.Fence));
    }

    [Fact]
    public async Task Back_filling_queues_each_pair_once_and_only_within_the_project()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        var other = await Store.Projects.EnsureAsync("other", Noon, Ct);
        var foreign = await SpanAsync(project: other.Id);

        Assert.Equal(1, await Store.Jobs.EnqueueAsync(Home, metric.VersionId, JobLane.Code, [span.Id, foreign.Id, span.Id], Noon, Ct));
        Assert.Equal(0, await Store.Jobs.EnqueueAsync(Home, metric.VersionId, JobLane.Code, [span.Id], Noon, Ct));
        Assert.Equal(0, await Store.Jobs.EnqueueAsync(other.Id, metric.VersionId, JobLane.Code, [foreign.Id], Noon, Ct));
    }

    [Fact]
    public async Task A_budget_never_grants_more_than_its_limit()
    {
        await Store.Projects.SetLimitsAsync(Home, 10, null, 0, Ct);
        await using var other = await OpenAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(i =>
            (i % 2 == 0 ? Store : other).Jobs.ReserveJudgeCallAsync(Home, 0.01, Noon, Ct)));

        Assert.Equal(10, answers.Count(answer => answer is null));
        Assert.Contains("10 judge calls", answers.First(answer => answer is not null));
        Assert.Null(await Store.Jobs.ReserveJudgeCallAsync(Home, 0.01, Noon.AddDays(1), Ct));
    }

    [Fact]
    public async Task A_budget_in_dollars_follows_what_calls_really_cost()
    {
        await Store.Projects.SetLimitsAsync(Home, null, 1.0, 0, Ct);

        Assert.Null(await Store.Jobs.ReserveJudgeCallAsync(Home, 0.6, Noon, Ct));
        Assert.Contains("1 USD", await Store.Jobs.ReserveJudgeCallAsync(Home, 0.6, Noon, Ct));
        await Store.Jobs.SettleJudgeCallAsync(Home, 0.6, 0.2, Noon, Ct);
        Assert.Null(await Store.Jobs.ReserveJudgeCallAsync(Home, 0.8, Noon, Ct));
        Assert.NotNull(await Store.Jobs.ReserveJudgeCallAsync(Home, 0.01, Noon, Ct));
    }

    [Fact]
    public async Task Verdicts_are_audited_at_random_with_the_projects_probability()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0.2, Ct);
        var metric = await MetricAsync();
        var spans = Enumerable.Range(0, 500).Select(_ => NewSpan()).ToArray();
        await Store.AddRawSpansAsync(Home, spans, Noon, Ct);
        await FanOutAsync();
        var jobs = await ClaimAsync();
        var rows = (await Store.Spans.AfterAsync(Home, new(0), null, 1_000, Ct)).ToDictionary(span => span.Id);

        await Store.Jobs.EndAsync(
            [.. jobs.Select(job => new JobEnd.Done(job, Verdict(rows[job.Span], metric)))], Noon, Ct);

        var items = (await Store.Review.ListAsync(Home, new(Reason: ReviewReason.RandomAudit, Limit: 1_000), Ct)).Items;
        Assert.Equal(
            spans.Where(span => Applicability.Draw("audit:short", span.Key) < 0.2).Select(span => span.Key).Order(Comparer<SpanKey>.Create(
                (one, other) => string.CompareOrdinal(one.ToString(), other.ToString()))),
            items.Select(item => item.Key).Order(Comparer<SpanKey>.Create(
                (one, other) => string.CompareOrdinal(one.ToString(), other.ToString()))));
        Assert.All(items, item => Assert.Equal(0.2, item.Propensity));
        Assert.InRange(items.Count, 60, 140);
    }

    [Fact]
    public async Task The_oldest_waiting_work_shows_its_age()
    {
        Assert.Null((await Store.Jobs.CountsAsync(Noon, Ct)).OldestWaiting);
        await MetricAsync();
        await SpanAsync();
        Assert.Equal(Noon, (await Store.Jobs.CountsAsync(Noon, Ct)).OldestWaiting);
        await FanOutAsync();
        await Store.AddRawSpansAsync(Home, [NewSpan()], Noon.AddMinutes(5), Ct);

        Assert.Equal(Noon, (await Store.Jobs.CountsAsync(Noon, Ct)).OldestWaiting);
    }

    [Fact]
    public async Task Workers_get_their_share_while_spans_pour_in()
    {
        await MetricAsync();
        using var ended = new CancellationTokenSource();
        var pouring = Enumerable.Range(0, 16).Select(client => Task.Run(
            async () =>
            {
                var sent = 0;
                while (!ended.IsCancellationRequested)
                {
                    var key = new SpanKey($"client-{client}", $"span-{sent++}");
                    await Store.AddRawSpansAsync(Home, [NewSpan("t") with { Key = key }], Noon, Ct);
                }
                return sent;
            },
            Ct)).ToArray();

        var recorded = 0;
        for (var turn = 0; turn < 200 && recorded < 200; turn++)
        {
            await FanOutAsync(100);
            var jobs = await ClaimAsync(100);
            var spans = (await Store.Spans.GetAsync(Home, [.. jobs.Select(job => job.Span)], Ct)).ToDictionary(span => span.Id);
            var metric = (await Store.Metrics.FindAsync(Home, "short", Ct))!;
            recorded += (await Store.Jobs.EndAsync(
                [.. jobs.Select(job => new JobEnd.Done(job, Verdict(spans[job.Span], metric)))], Noon, Ct)).Count(done => done);
        }
        await ended.CancelAsync();
        var sent = (await Task.WhenAll(pouring)).Sum();

        Assert.True(recorded >= 200, $"{recorded} verdicts while {sent} spans came");
        Assert.Equal(sent, await Store.Spans.CountAsync(Home, Ct));
    }
}
