using Flywheel.Core.Metrics;

namespace Flywheel.Storage.Tests;

public abstract class MetricReviewConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task A_metric_is_due_after_its_own_days_else_the_projects_counted_from_its_last_review()
    {
        var (usual, own, never) = (
            await MetricAsync(NewMetric("a.usual")), await MetricAsync(NewMetric("b.own")), await MetricAsync(NewMetric("c.never")));
        await Store.MetricReviews.SetDaysAsync(Home, own.Id, 7, "ann", Noon, Ct);
        await Store.MetricReviews.SetDaysAsync(Home, never.Id, 0, "ann", Noon, Ct);
        await Store.MetricReviews.SetProjectDaysAsync(Home, 30, "ann", Noon, Ct);
        await Store.MetricReviews.AddAsync(Home, own, MetricDecision.Keep, "fine", "{}", "ben", Noon.AddDays(3), Ct);

        var schedules = await Store.MetricReviews.SchedulesAsync(Home, Ct);

        Assert.Equal([usual.Name, own.Name, never.Name], schedules.Select(each => each.Metric.Name));
        Assert.Equal([usual.CreatedAt.AddDays(30), Noon.AddDays(10), null], schedules.Select(each => each.DueAt));
        Assert.Equal([false, true, true], schedules.Select(each => each.Own));
        Assert.Equal((1, "ben", "fine"), (schedules[1].Last!.Number, schedules[1].Last!.Author, schedules[1].Last!.Note));

        await Store.MetricReviews.SetDaysAsync(Home, own.Id, null, "ann", Noon, Ct);
        Assert.Equal((30, false),
            ((await Store.MetricReviews.SchedulesAsync(Home, Ct))[1].EveryDays,
                (await Store.MetricReviews.SchedulesAsync(Home, Ct))[1].Own));
        Assert.False(await Store.MetricReviews.SetDaysAsync(Home, new(usual.Id.Value + 1_000), 7, "ann", Noon, Ct));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task A_new_version_does_not_count_as_a_review()
    {
        var metric = await MetricAsync(NewMetric("answer"));
        await Store.Metrics.AddAsync(Home, NewMetric("answer") with { Criterion = "Otherwise?" }, expectNew: false, Noon.AddDays(50), Ct);

        Assert.Equal(metric.CreatedAt, Assert.Single(await Store.MetricReviews.SchedulesAsync(Home, Ct)).Since);
    }

    [Fact]
    public async Task Retiring_is_done_with_the_review_and_both_are_in_the_audit()
    {
        var metric = await MetricAsync(NewMetric("old"));
        var span = await SpanAsync();

        await Store.MetricReviews.AddAsync(Home, metric, MetricDecision.Change, null, "{}", "ann", Noon, Ct);
        var review = await Store.MetricReviews.AddAsync(
            Home, metric, MetricDecision.Retire, "nobody reads it", """{"changes":[]}""", "ben", Noon.AddDays(1), Ct);

        Assert.Equal((2, MetricDecision.Retire, metric.VersionId, span.Id),
            (review.Number, review.Decision, review.Version, review.Newest));
        Assert.Equal(MetricState.Retired, (await Store.Metrics.FindAsync(Home, "old", Ct))!.State);
        Assert.Empty(await Store.MetricReviews.SchedulesAsync(Home, Ct));
        Assert.Equal([2, 1], (await Store.MetricReviews.ListAsync(Home, metric.Id, Ct)).Select(each => each.Number));
        Assert.Equal(["metric.state", "metric.review", "metric.review"],
            (await Store.Audit.ListAsync(Home, 3, Ct)).Select(entry => entry.Action));
    }

    [Fact]
    public async Task Texts_come_with_the_newest_outcome_and_what_people_said_blind()
    {
        var (metric, other) = (await MetricAsync(NewMetric("m")), await MetricAsync(NewMetric("other")));
        var first = await SpanAsync(NewSpan() with { Output = "one" });
        var second = await SpanAsync(NewSpan() with { Output = "two" });
        var third = await SpanAsync(NewSpan() with { Output = "three" });
        var skipped = await SpanAsync(NewSpan() with { Output = "four" });
        await JudgeAsync(Verdict(first, metric, Outcome.Pass));
        await JudgeAsync(Verdict(second, metric, Outcome.Fail));
        await JudgeAsync(Verdict(second, other, Outcome.Pass));
        await JudgeAsync(Verdict(third, metric, Outcome.Error));
        await JudgeAsync(Verdict(skipped, metric, Outcome.Skipped));
        await Store.Labels.AddAsync(Label(second, metric, passed: true), Ct);

        var all = await Store.MetricReviews.CheckedAsync(Home, metric, new(0), new(long.MaxValue), newest: true, 10, Ct);
        var oldest = await Store.MetricReviews.CheckedAsync(Home, metric, new(0), new(long.MaxValue), newest: false, 1, Ct);
        var since = await Store.MetricReviews.CheckedAsync(Home, metric, first.Id, second.Id, newest: true, 10, Ct);

        Assert.Equal([("three", Outcome.Error, null), ("two", Outcome.Fail, true), ("one", Outcome.Pass, null)],
            all.Select(each => (each.Text, each.Outcome, each.Human)));
        Assert.Equal(first.Id, Assert.Single(oldest).Span);
        Assert.Equal(second.Id, Assert.Single(since).Span);
    }

    [Fact]
    public async Task Reviews_stay_in_their_project()
    {
        var metric = await MetricAsync(NewMetric("m"));
        await Store.MetricReviews.AddAsync(Home, metric, MetricDecision.Keep, null, "{}", "ann", Noon, Ct);
        var away = (await Store.Projects.EnsureAsync("away", Noon, Ct)).Id;

        Assert.Empty(await Store.MetricReviews.SchedulesAsync(away, Ct));
        Assert.Empty(await Store.MetricReviews.ListAsync(away, metric.Id, Ct));
        Assert.Empty(await Store.MetricReviews.CheckedAsync(away, metric, new(0), new(long.MaxValue), true, 10, Ct));
        Assert.False(await Store.MetricReviews.SetDaysAsync(away, metric.Id, 3, "eve", Noon, Ct));
    }
}
