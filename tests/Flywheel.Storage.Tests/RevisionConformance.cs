using System.Text.Json;
using Flywheel.Core.Jobs;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

/// <summary>A text that changes is validated again; what was said of the old one is kept and no longer counted.</summary>
public abstract class RevisionConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task The_old_verdict_is_kept_and_the_new_one_counts()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync(NewSpan() with { Output = null });
        await FanOutAsync();
        await Store.Labels.AddAsync(Label(span, metric, passed: true), Ct);
        await EndAsync(span, metric, Outcome.Fail);
        Assert.Equal([(Outcome.Fail, 1)], await CountedAsync(metric));

        await ChangeAsync(span);
        Assert.Empty(await CountedAsync(metric));
        await AssertCountsAsync(metric);
        await EndAsync(span, metric, Outcome.Pass);

        Assert.Equal(2, await CountAsync("verdict"));
        var current = Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct));
        Assert.Equal((Outcome.Pass, 2), (current.Finding.Outcome, current.Revision));
        Assert.Equal([(Outcome.Pass, 1)], await CountedAsync(metric));
        await AssertCountsAsync(metric);

        await Store.Labels.AddAsync(Label(span, metric, passed: false, at: Noon.AddMinutes(1)), Ct);
        await AssertCountsAsync(metric);
        await SqlAsync("DELETE FROM verdict WHERE revision = 1");
        await AssertCountsAsync(metric);
        await SqlAsync("DELETE FROM span");
        Assert.Empty(await CountedAsync(metric));
    }

    [Fact]
    public async Task A_text_that_comes_before_the_pairing_is_no_change()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync(NewSpan() with { Output = null });
        await ChangeAsync(span);
        await EndAsync(span, metric, Outcome.Pass);

        Assert.Equal(1, Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Revision);
        Assert.Equal(1, await CountAsync("verdict"));
    }

    [Fact]
    public async Task A_pair_that_was_skipped_is_skipped_for_the_new_text_and_counted_once()
    {
        var metric = await MetricAsync(NewMetric() with { Nodes = ["elsewhere"] });
        var span = await SpanAsync(NewSpan() with { Output = null });
        await FanOutAsync();
        await ChangeAsync(span);

        Assert.Equal(2, await CountAsync("verdict"));
        Assert.Equal([(Outcome.Skipped, 1)], await CountedAsync(metric));
        await AssertCountsAsync(metric);
    }

    [Fact]
    public async Task Changes_and_verdicts_that_cross_leave_exact_counts()
    {
        var metric = await MetricAsync();
        var spans = new List<Span>();
        for (var i = 0; i < 30; i++)
            spans.Add(await SpanAsync(NewSpan() with { Output = null }));
        await FanOutAsync();
        var jobs = await ClaimAsync();

        await Task.WhenAll(
            Parallel.ForEachAsync(jobs, Ct, async (job, _) => await Store.Jobs.EndAsync(
                [new JobEnd.Done(job, Verdict(spans.Single(span => span.Id == job.Span), metric))], Noon, Ct)),
            Parallel.ForEachAsync(spans, Ct, async (span, _) => await ChangeAsync(span)));
        foreach (var job in await ClaimAsync())
            await Store.Jobs.EndAsync(
                [new JobEnd.Done(job, Verdict(spans.Single(span => span.Id == job.Span), metric, Outcome.Fail))], Noon, Ct);

        await AssertCountsAsync(metric);
        Assert.Equal(30, (await CountedAsync(metric)).Sum(cell => cell.Count));
        Assert.All(await Store.Verdicts.CurrentAsync(Home, [.. spans.Select(span => span.Id)], Ct), verdict =>
            Assert.Equal(Outcome.Fail, verdict.Finding.Outcome));
    }

    [Fact]
    public async Task A_person_who_is_unsure_makes_neither_gold_nor_a_demonstration()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Fail));

        await UnsureAsync(span, metric, "00000000-0000-7000-8000-000000000001", repeat: 0);
        Assert.Equal((0, 0), (await CountAsync("gold"), await CountAsync("demonstration")));
        Assert.Empty(await Store.Labels.OfSpansAsync(Home, [span.Id], Ct));
        Assert.Equal(0, await CountAsync("review_item WHERE reason IN ('disagreement', 'adjudicate')"));

        var label = Label(span, metric, passed: true);
        await Store.Labels.AddAsync(label, Ct);
        await UnsureAsync(span, metric, "00000000-0000-7000-8000-000000000002", repeat: 1);
        Assert.Equal(1, await CountAsync("gold WHERE passed = 1"));
        Assert.Equal(InsertResult.Conflicting,
            await Store.Labels.AddAsync(label with { Id = Guid.Parse("00000000-0000-7000-8000-000000000001") }, Ct));
        await AssertCountsAsync(metric);

        await SqlAsync($"UPDATE label SET passed = NULL WHERE id = '{label.Id:D}'");
        Assert.Equal(0, await CountAsync("gold"));
        await AssertCountsAsync(metric);
        Assert.True(await Store.Labels.RemoveAsync(Home, Guid.Parse("00000000-0000-7000-8000-000000000001"), "ann", Noon, Ct));
    }

    [Theory]
    [InlineData("path")]
    [InlineData("trace")]
    [InlineData("session")]
    public async Task A_metric_about_more_than_a_span_is_recorded_as_skipped(string subject)
    {
        var metric = await MetricAsync();
        await SqlAsync(
            "INSERT INTO metric_version (metric_id, number, criterion, subject, validator, author, created_at) "
            + $"VALUES ({metric.Id.Value}, 2, '?', '{subject}', '{{\"kind\":\"length\"}}', 'ann', 1)");
        await SqlAsync($"UPDATE metric SET current_version_id = (SELECT max(id) FROM metric_version) WHERE id = {metric.Id.Value}");
        await ReopenAsync();
        var span = await SpanAsync();
        await FanOutAsync();

        var verdict = Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct));
        Assert.Equal(Outcome.Skipped, verdict.Finding.Outcome);
        Assert.Equal($"metrics about a {subject} are not validated yet", verdict.Finding.Reason);
    }

    [Fact]
    public async Task What_hangs_on_a_span_goes_with_it()
    {
        var span = await SpanAsync(NewSpan() with { Session = "s", Attributes = """{"flywheel.session.turn":3}""" });
        var id = span.Id.Value;
        Assert.Equal(1, await CountAsync("span WHERE session = 's' AND turn = 3"));
        await SqlAsync($"INSERT INTO span_variant (project_id, span_id, experiment, variant, unit, chance) VALUES (1, {id}, 'x', 'a', "
            + "'u', 0.5)");
        await SqlAsync($"INSERT INTO span_segment (project_id, span_id, segment) VALUES (1, {id}, 'tenant:acme')");
        await SqlAsync($"INSERT INTO span_tag (project_id, span_id, tag, author) VALUES (1, {id}, 'odd', 'ann')");
        await SqlAsync($"INSERT INTO trace_completion (project_id, subject, name, span_id, signal) VALUES (1, 'session', 's', {id}, "
            + "'idle')");
        await SqlAsync(
            $"INSERT INTO note (project_id, id, span_id, text, author) VALUES (1, '00000000-0000-7000-8000-000000000001', {id}, 'why?', "
                + "'ann')");
        await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => SqlAsync(
            "INSERT INTO note (project_id, id, text, author) VALUES (1, '00000000-0000-7000-8000-000000000002', 'about nothing', 'ann')"));

        await SqlAsync("DELETE FROM span");

        foreach (var table in new[] { "span_variant", "span_segment", "span_tag", "trace_completion", "note" })
            Assert.Equal(0, await CountAsync(table));
    }

    async Task ChangeAsync(Span span)
    {
        var messages = JsonSerializer.Serialize(
            new[] { new { role = "assistant", parts = new[] { new { type = "text", content = "late" } } } });
        await Store.SpanTexts.AddAsync(Home, [new(span.Key, TextPlace.Output, Noon, 0, messages, "late", false)], Noon, Ct);
        await FanOutAsync();
    }

    async Task EndAsync(Span span, Metric metric, Outcome outcome)
    {
        var job = Assert.Single(await ClaimAsync());
        Assert.Equal([true], await Store.Jobs.EndAsync([new JobEnd.Done(job, Verdict(span, metric, outcome))], Noon, Ct));
    }

    async Task UnsureAsync(Span span, Metric metric, string id, int repeat) => await SqlAsync(
        "INSERT INTO label (project_id, id, span_id, metric_id, passed, mode, repeat, author, created_at) "
        + $"VALUES (1, '{id}', {span.Id.Value}, {metric.Id.Value}, NULL, 'blind', {repeat}, 'bob', 1)");

    async Task<IReadOnlyList<(Outcome Outcome, long Count)>> CountedAsync(Metric metric) =>
        [.. (await Store.Metrics.CellsAsync(Home, metric.Id, Ct)).Select(cell => (cell.Outcome, cell.Count))];
}
