using CsCheck;
using Flywheel.Core.Jobs;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Jobs;
using Flywheel.TestServer;
using static Flywheel.Tests.Jobs.Workshop;

namespace Flywheel.Tests.Jobs;

public class MetricWorkerTests
{
    [Fact]
    public async Task Every_pair_of_span_and_metric_ends_in_one_recorded_outcome()
    {
        var shop = new Workshop();
        shop.Kind("judged", true, _ => Finding.Pass());
        shop.Kind("broken", false, _ => throw new ArgumentException("a bug"));
        var all = new[]
        {
            shop.Metric("short", "length", """{"max":5}"""), shop.Metric("judged", "judged"), shop.Metric("broken", "broken"),
            shop.Metric("elsewhere", "length", """{"max":5}""", nodes: ["intent"]),
            shop.Metric("never", "length", """{"max":5}""", sampling: 0),
            shop.Metric("unknown", "plug-in-that-is-gone"), shop.Metric("choice", "one-of", """{"values":["a"]}"""),
        };
        var spans = new[] { shop.Span("short"), shop.Span("much too long"), shop.Span(null) };

        var done = await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(new WorkDone(Spans: 3, Code: 9, Judge: 3), done);
        Assert.Equal(spans.Length * all.Length, shop.Jobs.Verdicts.Count);
        Assert.Equal(
            [Outcome.Pass, Outcome.Pass, Outcome.Error, Outcome.Skipped, Outcome.Skipped, Outcome.Error, Outcome.Skipped],
            all.Select(metric => shop.FindingOf(spans[0], metric).Outcome));
        Assert.Equal("not about node writer", shop.FindingOf(spans[0], all[3]).Reason);
        Assert.Equal("not sampled (rate 0)", shop.FindingOf(spans[0], all[4]).Reason);
        Assert.StartsWith("the validator cannot be made: There is no validator \"plug-in-that-is-gone\"",
            shop.FindingOf(spans[0], all[5]).Reason, StringComparison.Ordinal);
        Assert.Equal("one-of does not check writer nodes", shop.FindingOf(spans[0], all[6]).Reason);
        Assert.Equal(Outcome.Fail, shop.FindingOf(spans[1], all[0]).Outcome);
        Assert.Equal(Outcome.Skipped, shop.FindingOf(spans[2], all[0]).Outcome);
        Assert.All(shop.Jobs.Jobs, job => Assert.Equal(JobState.Dead, job.State));
    }

    [Fact]
    public async Task Code_jobs_end_in_one_transaction()
    {
        var shop = new Workshop();
        shop.Metric("short", "length", """{"max":5}""");
        for (var i = 0; i < 300; i++)
            shop.Span();
        var worker = shop.Worker();

        Assert.Equal(256, (await worker.RunOnceAsync(Ct)).Code);
        Assert.Equal(44, (await worker.RunOnceAsync(Ct)).Code);
        Assert.False((await worker.RunOnceAsync(Ct)).Any);
        Assert.Equal([256, 44], shop.Jobs.EndBatches);
    }

    [Fact]
    public async Task A_worker_that_lost_its_lease_records_nothing()
    {
        var shop = new Workshop();
        var metric = shop.Metric("slow", "slow");
        var entered = new TaskCompletionSource();
        var go = new TaskCompletionSource<Finding>();
        var isFirst = true;
        shop.Kind("slow", false, async (_, ct) =>
        {
            if (!isFirst)
                return Finding.Pass();
            isFirst = false;
            entered.SetResult();
            return await go.Task;
        });
        var span = shop.Span();
        var late = shop.Worker(new() { Name = "late", Lease = TimeSpan.FromHours(1) });
        var turn = late.RunOnceAsync(Ct);
        await entered.Task;
        await shop.Jobs.ExtendAsync(shop.Jobs.Jobs, TimeSpan.FromHours(-2), shop.Clock.GetUtcNow(), Ct);

        var other = await shop.Worker(new() { Name = "other" }).RunOnceAsync(Ct);
        go.SetResult(Finding.Fail("too late"));
        var lost = await turn;

        Assert.Equal((1, 0), (other.Code, other.Lost));
        Assert.Equal((0, 1), (lost.Code, lost.Lost));
        Assert.Equal(Outcome.Pass, shop.FindingOf(span, metric).Outcome);
        Assert.Empty(shop.Jobs.Jobs);
    }

    [Fact]
    public async Task Long_calls_keep_their_lease()
    {
        var shop = new Workshop();
        var metric = shop.Metric("judged", "judged");
        var entered = new TaskCompletionSource();
        var go = new TaskCompletionSource<Finding>();
        shop.Kind("judged", true, async (_, _) =>
        {
            entered.SetResult();
            return await go.Task;
        });
        var span = shop.Span();
        var turn = shop.Worker(new() { Lease = TimeSpan.FromSeconds(30) }).RunOnceAsync(Ct);
        await entered.Task;

        for (var i = 0; i < 8; i++)
        {
            var before = shop.Jobs.Extended.Count;
            shop.Clock.Advance(TimeSpan.FromSeconds(10));
            await Eventually.IsAsync(() => shop.Jobs.Extended.Count > before, Ct);
        }
        Assert.Empty(await shop.Jobs.ClaimAsync(JobLane.Judge, 10, TimeSpan.FromSeconds(30), "thief", shop.Clock.GetUtcNow(), Ct));
        go.SetResult(Finding.Pass());

        Assert.Equal(1, (await turn).Judge);
        Assert.Equal(Outcome.Pass, shop.FindingOf(span, metric).Outcome);
        Assert.Equal(80_000, shop.VerdictOf(span, metric).LatencyMs);
    }

    [Fact]
    public async Task A_retryable_fault_comes_back_later_each_time_and_ends_as_a_dead_letter_that_can_be_retried()
    {
        var shop = new Workshop();
        var isBroken = true;
        var kind = shop.Kind("flaky", false, _ => isBroken ? throw new HttpRequestException("no route") : Finding.Pass());
        var metric = shop.Metric("flaky", "flaky");
        var span = shop.Span();
        var worker = shop.Worker();

        for (var attempt = 1; attempt <= 5; attempt++)
        {
            Assert.Equal(1, (await worker.RunOnceAsync(Ct)).Code);
            Assert.Equal(attempt, kind.Calls);
            var job = Assert.Single(shop.Jobs.Jobs);
            if (attempt == 5)
                break;
            Assert.Equal((JobState.Ready, "HttpRequestException: no route"), (job.State, job.Reason));
            var ceiling = TimeSpan.FromSeconds(5 * Math.Pow(4, attempt - 1));
            Assert.InRange(job.VisibleAt - shop.Clock.GetUtcNow(), TimeSpan.Zero, ceiling);
            Assert.Empty(shop.Jobs.Verdicts);
            shop.Clock.Advance(ceiling);
        }

        Assert.Equal(JobState.Dead, Assert.Single(shop.Jobs.Jobs).State);
        Assert.Equal(Finding.Error("gave up after 5 attempts: HttpRequestException: no route"), shop.FindingOf(span, metric));
        shop.Clock.Advance(TimeSpan.FromDays(1));
        Assert.False((await worker.RunOnceAsync(Ct)).Any);

        isBroken = false;
        await shop.Jobs.RetryAsync(new(1), null, shop.Clock.GetUtcNow(), Ct);
        await worker.RunOnceAsync(Ct);

        Assert.Equal(Outcome.Pass, shop.FindingOf(span, metric).Outcome);
        Assert.Empty(shop.Jobs.Jobs);
    }

    [Fact]
    public async Task A_fault_that_no_retry_cures_is_a_dead_letter_at_once()
    {
        var shop = new Workshop();
        var kind = shop.Kind("judged", true, _ => throw new ArgumentException("bad key"));
        var metric = shop.Metric("judged", "judged");
        var span = shop.Span();

        await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(1, kind.Calls);
        Assert.Equal(Finding.Error("not retried: ArgumentException: bad key"), shop.FindingOf(span, metric));
        Assert.Equal(JobState.Dead, Assert.Single(shop.Jobs.Jobs).State);
    }

    [Fact]
    public async Task A_provider_that_asks_to_wait_is_left_alone_for_so_long_and_spends_no_other_jobs_attempts()
    {
        var shop = new Workshop { Classifier = new AsksToWait(TimeSpan.FromSeconds(40)) };
        var isBusy = true;
        var kind = shop.Kind("judged", true, _ => isBusy ? throw new HttpRequestException("429") : Finding.Pass());
        shop.Metric("judged", "judged");
        for (var i = 0; i < 20; i++)
            shop.Span();
        var worker = shop.Worker(new() { JudgeConcurrency = 2 });

        await worker.RunOnceAsync(Ct);
        var started = shop.Clock.GetUtcNow();
        shop.Clock.Advance(TimeSpan.FromSeconds(39));
        await worker.RunOnceAsync(Ct);

        Assert.Equal(2, kind.Calls);
        Assert.All(shop.Jobs.Jobs.Where(job => job.Attempts > 0), job => Assert.InRange((job.VisibleAt - started).TotalSeconds, 40, 45));
        Assert.Equal(18, shop.Jobs.Jobs.Count(job => job.Attempts == 0));

        isBusy = false;
        shop.Clock.Advance(TimeSpan.FromSeconds(6));
        await worker.RunOnceAsync(Ct);

        Assert.Empty(shop.Jobs.Jobs);
        Assert.Equal(22, kind.Calls);
    }

    [Fact]
    public async Task A_judge_that_does_not_answer_in_time_is_tried_again()
    {
        var shop = new Workshop();
        var entered = new TaskCompletionSource();
        shop.Kind("judged", true, async (_, ct) =>
        {
            entered.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, ct);
            return Finding.Pass();
        }).ExpectedUsd = 0.25;
        shop.Metric("judged", "judged");
        shop.Span();
        var turn = shop.Worker(new() { JudgeTimeout = TimeSpan.FromSeconds(20), Lease = TimeSpan.FromMinutes(5) }).RunOnceAsync(Ct);
        await entered.Task;

        shop.Clock.Advance(TimeSpan.FromSeconds(20));
        await turn;

        Assert.Equal("no answer within 20 s", Assert.Single(shop.Jobs.Jobs).Reason);
        Assert.Equal(0.25, shop.Jobs.JudgeUsd);
    }

    [Fact]
    public async Task Judges_stop_at_the_budget_and_the_rest_is_skipped_with_the_limit_in_words()
    {
        var shop = new Workshop();
        var kind = shop.Kind("judged", true, _ => Finding.Pass() with { CostUsd = 0.01 });
        kind.ExpectedUsd = 0.05;
        shop.Metric("judged", "judged");
        shop.Jobs.JudgeCallsPerDay = 3;
        for (var i = 0; i < 10; i++)
            shop.Span();
        shop.Span(null);

        await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(3, kind.Calls);
        Assert.Equal(0.03, shop.Jobs.JudgeUsd, 9);
        Assert.Equal(7, shop.Jobs.Verdicts.Values.Count(
            verdict => verdict.Finding == Finding.Skipped("budget exhausted: 3 judge calls per day are used up")));
        Assert.Single(shop.Jobs.Verdicts.Values, verdict => verdict.Finding == Finding.Skipped("no text"));
        Assert.Empty(shop.Jobs.Jobs);
    }

    [Fact]
    public async Task Spending_stays_within_the_budget_when_calls_run_at_once()
    {
        var shop = new Workshop();
        var kind = shop.Kind("judged", true, async (_, _) =>
        {
            await Task.Yield();
            return Finding.Pass() with { CostUsd = 0.04 };
        });
        kind.ExpectedUsd = 0.05;
        shop.Metric("judged", "judged");
        shop.Jobs.JudgeUsdPerDay = 1;
        for (var i = 0; i < 200; i++)
            shop.Span();

        await shop.Worker(new() { JudgeConcurrency = 64 }).RunOnceAsync(Ct);

        Assert.InRange(shop.Jobs.JudgeUsd, 0.5, 1);
        Assert.Equal(200, shop.Jobs.Verdicts.Count);
    }

    [Fact]
    public async Task A_failed_call_gives_its_reservation_back()
    {
        var shop = new Workshop();
        shop.Kind("judged", true, _ => throw new HttpRequestException("refused")).ExpectedUsd = 0.25;
        shop.Metric("judged", "judged");
        shop.Span();

        await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(0, shop.Jobs.JudgeUsd);
    }

    [Fact]
    public async Task After_a_crash_in_the_middle_another_worker_finishes_when_the_lease_is_over()
    {
        var shop = new Workshop();
        var metric = shop.Metric("crashing", "crashing");
        using var crash = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var isFirst = true;
        shop.Kind("crashing", false, async (_, ct) =>
        {
            if (!isFirst)
                return Finding.Pass();
            isFirst = false;
            await crash.CancelAsync();
            ct.ThrowIfCancellationRequested();
            throw new InvalidOperationException("not reached");
        });
        var span = shop.Span();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => shop.Worker().RunOnceAsync(crash.Token));
        Assert.Empty(shop.Jobs.Verdicts);
        var next = shop.Worker();
        shop.Clock.Advance(TimeSpan.FromSeconds(29));
        Assert.False((await next.RunOnceAsync(Ct)).Any);
        shop.Clock.Advance(TimeSpan.FromSeconds(1));
        await next.RunOnceAsync(Ct);

        Assert.Equal(Outcome.Pass, shop.FindingOf(span, metric).Outcome);
    }

    [Fact]
    public async Task A_job_that_keeps_killing_its_worker_is_given_up_without_another_try()
    {
        var shop = new Workshop();
        var kind = shop.Kind("deadly", false, _ => Finding.Pass());
        var metric = shop.Metric("deadly", "deadly");
        var span = shop.Span();
        await shop.Jobs.FanOutAsync(10, (_, metrics) => [new(metrics[0], JobLane.Code, "v1", null)], shop.Clock.GetUtcNow(), Ct);
        for (var crash = 0; crash < 5; crash++)
        {
            await shop.Jobs.ClaimAsync(JobLane.Code, 1, TimeSpan.FromSeconds(30), "doomed", shop.Clock.GetUtcNow(), Ct);
            shop.Clock.Advance(TimeSpan.FromSeconds(30));
        }

        await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(0, kind.Calls);
        Assert.Equal(Finding.Error("gave up: the worker stopped 5 times during this check"), shop.FindingOf(span, metric));
    }

    [Fact]
    public async Task A_metric_retired_or_gone_meanwhile_is_skipped()
    {
        var shop = new Workshop();
        var retired = shop.Metric("retired", "length", """{"max":5}""");
        var gone = shop.Metric("gone", "length", """{"max":5}""");
        var span = shop.Span();
        await shop.Jobs.FanOutAsync(
            10, (_, metrics) => [.. metrics.Select(m => new Pairing(m, JobLane.Code, "v", null))], shop.Clock.GetUtcNow(), Ct);
        shop.Metrics.Metrics.Clear();
        shop.Metrics.Metrics.Add(retired with { State = MetricState.Retired });

        await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(Finding.Skipped("the metric is retired"), shop.FindingOf(span, retired));
        Assert.Equal(Finding.Skipped("the metric version is gone"), shop.FindingOf(span, gone));
    }

    [Fact]
    public async Task One_end_that_cannot_be_recorded_does_not_hold_up_the_others()
    {
        var shop = new Workshop();
        shop.Metric("short", "length", """{"max":5}""");
        var spans = Enumerable.Range(0, 10).Select(_ => shop.Span()).ToArray();
        shop.Jobs.OnEnd = ends =>
        {
            if (ends.Any(end => end.Job.Span == spans[3]))
                throw new InvalidOperationException("constraint");
        };

        var done = await shop.Worker().RunOnceAsync(Ct);

        Assert.Equal(9, done.Code);
        Assert.Equal(9, shop.Jobs.Verdicts.Count);
        Assert.Equal("end", Assert.Single(shop.Faults).What);
        Assert.Equal(spans[3], Assert.Single(shop.Jobs.Jobs).Span);
    }

    [Fact]
    public async Task A_database_that_is_down_fails_the_turn_and_everything_is_done_later()
    {
        var shop = new Workshop();
        shop.Metric("short", "length", """{"max":5}""");
        shop.Metric("judged", "judged");
        shop.Kind("judged", true, _ => Finding.Pass());
        for (var i = 0; i < 20; i++)
            shop.Span();
        var worker = shop.Worker();
        var isDown = true;
        shop.Jobs.OnEnd = _ =>
        {
            if (isDown)
                throw new IOException("disk full");
        };

        await Assert.ThrowsAsync<IOException>(() => worker.RunOnceAsync(Ct));
        isDown = false;
        shop.Clock.Advance(TimeSpan.FromSeconds(30));
        await worker.RunOnceAsync(Ct);

        Assert.Equal(40, shop.Jobs.Verdicts.Count);
        Assert.Empty(shop.Jobs.Jobs);
    }

    [Fact]
    public async Task Validators_are_made_once_and_their_version_stays_current()
    {
        var shop = new Workshop();
        var kind = shop.Kind("judged", true, _ => Finding.Pass());
        var metric = shop.Metric("judged", "judged");
        var first = shop.Span();
        var worker = shop.Worker();
        await worker.RunOnceAsync(Ct);

        kind.Version = "v2";
        var second = shop.Span();
        await worker.RunOnceAsync(Ct);

        Assert.Equal(("v1", "v2"), (shop.VerdictOf(first, metric).ValidatorVersion, shop.VerdictOf(second, metric).ValidatorVersion));
    }

    [Fact]
    public async Task Counts_are_folded_as_part_of_the_turn()
    {
        var shop = new Workshop();
        shop.Metrics.Deltas = 25_000;

        Assert.Equal(10_000, (await shop.Worker().RunOnceAsync(Ct)).Folded);
        Assert.Equal(15_000, shop.Metrics.Deltas);
    }

    [Fact]
    public async Task The_loop_wakes_at_a_signal_does_the_work_and_stops_when_asked()
    {
        var shop = new Workshop();
        var metric = shop.Metric("short", "length", """{"max":50}""");
        var judged = shop.Metric("judged", "judged");
        shop.Kind("judged", true, _ => Finding.Pass());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var loop = shop.Worker().RunAsync(stop.Token);

        var span = shop.Span();
        shop.Signal.Set();
        await Eventually.IsAsync(() => shop.Jobs.Verdicts.Count == 2, Ct);
        await stop.CancelAsync();
        await loop;

        Assert.Equal(Outcome.Pass, shop.FindingOf(span, metric).Outcome);
        Assert.Equal(Outcome.Pass, shop.FindingOf(span, judged).Outcome);
    }

    [Fact]
    public async Task The_loop_survives_a_failed_turn_and_tries_again_after_a_pause()
    {
        var shop = new Workshop();
        shop.Metric("short", "length", """{"max":50}""");
        shop.Span();
        var isDown = true;
        shop.Jobs.OnFanOut = () =>
        {
            if (isDown)
                throw new IOException("gone away");
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var worker = shop.Worker();
        var loop = worker.RunAsync(stop.Token);
        await Eventually.IsAsync(() => worker.Health.Faults > 0, Ct);

        isDown = false;
        await Eventually.IsAsync(
            () =>
        {
            shop.Clock.Advance(TimeSpan.FromSeconds(2));
            return shop.Jobs.Verdicts.Count == 1;
        }, Ct);
        await stop.CancelAsync();
        await loop;

        Assert.All(shop.Faults, fault => Assert.Equal("metrics", fault.What));
    }

    [Fact]
    public async Task Health_is_red_when_work_waits_and_nothing_has_moved_for_a_minute()
    {
        var shop = new Workshop();
        shop.Metric("short", "length", """{"max":50}""");
        var worker = shop.Worker();
        shop.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(worker.Health.Trouble(await shop.Jobs.CountsAsync(shop.Clock.GetUtcNow(), Ct)));

        shop.Span();
        await shop.Jobs.FanOutAsync(10, (_, metrics) => [new(metrics[0], JobLane.Code, "v1", null)], shop.Clock.GetUtcNow(), Ct);
        shop.Clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(worker.Health.Trouble(await shop.Jobs.CountsAsync(shop.Clock.GetUtcNow(), Ct)));
        shop.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("1 jobs and 0 spans wait, and nothing has moved for 61 s",
            worker.Health.Trouble(await shop.Jobs.CountsAsync(shop.Clock.GetUtcNow(), Ct)));

        await worker.RunOnceAsync(Ct);
        Assert.Null(worker.Health.Trouble(await shop.Jobs.CountsAsync(shop.Clock.GetUtcNow(), Ct)));
    }

    [Fact]
    public async Task However_workers_crash_stall_and_fail_every_pair_ends_once() =>
        await Gen.Int[0, int.MaxValue].SampleAsync(async seed =>
    {
        var random = new Random(seed);
        var shop = new Workshop();
        var metrics = new[] { shop.Metric("code", "shaky"), shop.Metric("judged", "shaky-judge"),
            shop.Metric("short", "length", """{"max":3}""") };
        Finding Shaky(Examinee _)
        {
            lock (random)
                return random.Next(4) switch { 0 => throw new HttpRequestException("x"), 1 => throw new ArgumentException("y"), _ =>
                    Finding.Pass() };
        }
        shop.Kind("shaky", false, Shaky);
        shop.Kind("shaky-judge", true, Shaky);
        shop.Jobs.OnEnd = _ =>
        {
            lock (random)
                if (random.Next(8) == 0)
                    throw new IOException("the database hiccups");
        };
        var spans = Enumerable.Range(0, 6).Select(_ => shop.Span()).ToArray();
        var workers = new[] { shop.Worker(), shop.Worker() };

        for (var turn = 0; turn < 200 && (shop.Jobs.Pending.Count > 0 || shop.Jobs.Jobs.Any(job => job.State == JobState.Ready)); turn++)
        {
            if (random.Next(6) == 0)
                await shop.Jobs.ClaimAsync(
                    random.Next(2) == 0 ? JobLane.Code : JobLane.Judge, 3, TimeSpan.FromSeconds(30), "crashed", shop.Clock.GetUtcNow(), Ct);
            try
            {
                await workers[random.Next(2)].RunOnceAsync(Ct);
            }
            catch (IOException)
            {
                // The loop would try again.
            }
            shop.Clock.Advance(TimeSpan.FromSeconds(random.Next(200)));
        }

        Assert.DoesNotContain(shop.Jobs.Jobs, job => job.State == JobState.Ready);
        foreach (var span in spans)
            foreach (var metric in metrics)
                Assert.NotEqual(Outcome.Skipped, shop.FindingOf(span, metric).Outcome);
        Assert.All(shop.Jobs.Jobs, job =>
            Assert.Contains(shop.Jobs.Verdicts.Values, verdict => verdict.Span == job.Span && verdict.Finding.Outcome == Outcome.Error));
    }, iter: 60);

    sealed class AsksToWait(TimeSpan wait) : IFaultClassifier
    {
        public Fault Classify(Exception error) => new(true, wait, "busy");
    }
}
