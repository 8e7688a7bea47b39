using Flywheel.Core.Evaluation;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class AgentConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static ProposedLabel Proposal(Span span, Metric metric, bool passed = true, string author = "agent:a", string critique = "because") =>
        new(span.Project, span.Id, metric.Id, author, passed, critique, 0.75, Noon);

    [Fact]
    public async Task A_proposed_label_asks_a_person_is_in_the_audit_and_is_no_label()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var (span, metric) = (await SpanAsync(), await MetricAsync());

        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(span, metric), 10, Ct));
        Assert.Equal(InsertResult.Repeated, await Store.ProposedLabels.AddAsync(Proposal(span, metric), 10, Ct));
        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(span, metric, passed: false), 10, Ct));
        Assert.Equal(InsertResult.Stored,
            await Store.ProposedLabels.AddAsync(Proposal(span, metric, author: "agent:b") with { CreatedAt = Noon.AddHours(1) }, 10, Ct));

        Assert.Equal([("agent:b", true), ("agent:a", false)],
            (await Store.ProposedLabels.OfSpansAsync(Home, [span.Id], Ct)).Select(each => (each.Author, each.Passed)));
        var item = Assert.Single((await Store.Review.ListAsync(Home, new(), Ct)).Items);
        Assert.Equal((ReviewReason.Informative, "agent:a proposes a label"), (item.Reason, item.Detail));
        Assert.Empty(await Store.Labels.ListAsync(Home, null, 10, Ct));
        Assert.Equal(3, (await Store.Audit.ListAsync(Home, 10, Ct)).Count(entry => entry.Action == "label.propose"));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));

        await Store.Labels.AddAsync(Label(span, metric, true, LabelMode.Accepted), Ct);
        Assert.Empty((await Store.Review.ListAsync(Home, new(), Ct)).Items);
        await SqlAsync($"DELETE FROM span WHERE id = {span.Id.Value}");
        Assert.Equal(0, await CountAsync("proposed_label"));
    }

    [Fact]
    public async Task An_author_may_have_so_many_proposals_that_nobody_answered()
    {
        var metric = await MetricAsync();
        Span[] spans = [await SpanAsync(), await SpanAsync(), await SpanAsync()];

        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(spans[0], metric), 2, Ct));
        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(spans[1], metric), 2, Ct));
        Assert.Null(await Store.ProposedLabels.AddAsync(Proposal(spans[2], metric), 2, Ct));
        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(spans[2], metric, author: "agent:b"), 2, Ct));
        await Store.Labels.AddAsync(Label(spans[0], metric, true), Ct);
        Assert.Equal(InsertResult.Stored, await Store.ProposedLabels.AddAsync(Proposal(spans[2], metric), 2, Ct));
    }

    [Fact]
    public async Task Proposals_do_not_cross_projects()
    {
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;
        var (span, metric) = (await SpanAsync(), await MetricAsync());
        await Store.ProposedLabels.AddAsync(Proposal(span, metric), 10, Ct);

        Assert.Empty(await Store.ProposedLabels.OfSpansAsync(other, [span.Id], Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(
            () => Store.ProposedLabels.AddAsync(Proposal(span, metric) with { Project = other }, 10, Ct));
        Assert.Empty((await Store.Spans.SearchAsync(other, new(), Ct)).Items);
    }

    [Fact]
    public async Task A_proposed_demonstration_is_pending_once_and_in_the_audit()
    {
        var span = await SpanAsync();
        var proposed = new Demonstration(
            Guid.CreateVersion7(), Home, DemonstrationPurpose.Task, "intent", "in", "out", "old", "why", 1, null, span.Id.Value,
            DemonstrationState.Pending,
            "agent:a", Noon, null, null, null, null);

        Assert.Equal(InsertResult.Stored, await Store.Demonstrations.ProposeAsync(proposed, 1, Ct));
        Assert.Equal(InsertResult.Repeated, await Store.Demonstrations.ProposeAsync(proposed, 1, Ct));
        Assert.Null(await Store.Demonstrations.ProposeAsync(proposed with { Id = Guid.CreateVersion7() }, 1, Ct));

        Assert.Equal(proposed, await Store.Demonstrations.GetAsync(Home, proposed.Id, Ct));
        Assert.Equal(["demonstration.propose"], (await Store.Audit.ListAsync(Home, 10, Ct)).Select(entry => entry.Action));
    }

    [Fact]
    public async Task Spans_are_found_by_text_node_kind_time_failure_and_outcome()
    {
        var metric = await MetricAsync();
        var one = await SpanAsync(NewSpan() with { Input = "Where is 100% of MY_parcel?", Kind = NodeKind.Writer, Node = "answer" });
        var two = await SpanAsync(NewSpan(at: Noon.AddHours(2)) with { Output = "parcel" });
        var three = await SpanAsync(NewSpan() with { Input = "other", Error = "Timeout!" });
        await JudgeAsync(Verdict(one, metric, Outcome.Fail));
        await JudgeAsync(Verdict(two, metric));
        await JudgeAsync(Verdict(two, metric, Outcome.Fail, validator: "v0", at: Noon.AddHours(-1)));

        async Task<SpanId[]> FindAsync(SpanSearch search) =>
            [.. (await Store.Spans.SearchAsync(Home, search, Ct)).Items.Select(span => span.Id)];
        Assert.Equal([three.Id, two.Id, one.Id], await FindAsync(new()));
        Assert.Equal([two.Id, one.Id], await FindAsync(new(Text: "PARCEL")));
        Assert.Equal([one.Id], await FindAsync(new(Text: "100% of my_p")));
        Assert.Empty(await FindAsync(new(Text: "100_ of")));
        Assert.Equal([one.Id], await FindAsync(new(Node: "answer", Kind: NodeKind.Writer)));
        Assert.Equal([two.Id], await FindAsync(new(From: Noon.AddHours(1), To: Noon.AddHours(3))));
        Assert.Equal([three.Id], await FindAsync(new(Failed: true)));
        Assert.Equal([three.Id], await FindAsync(new(Text: "timeout!")));
        Assert.Equal([one.Id], await FindAsync(new(Outcome: Outcome.Fail)));
        Assert.Equal([two.Id], await FindAsync(new(Outcome: Outcome.Pass, Metric: "short")));
        Assert.Empty(await FindAsync(new(Outcome: Outcome.Pass, Metric: "none")));
        var page = await Store.Spans.SearchAsync(Home, new(Limit: 2), Ct);
        Assert.Equal([one.Id], await FindAsync(new(Cursor: page.Next)));
        await Assert.ThrowsAsync<ArgumentException>(() => Store.Spans.SearchAsync(Home, new(Cursor: "x"), Ct));
    }

    [Fact]
    public async Task A_search_that_finds_nothing_goes_on_from_where_it_stopped()
    {
        var first = await SpanAsync(NewSpan() with { Input = "needle" });
        await SqlAsync($"""
            INSERT INTO span (id, project_id, node, kind) VALUES ({first.Id.Value + 250_000}, 1, 'far', 'other')
            """);

        var (found, cursor, turns) = (new List<SpanId>(), (string?)null, 0);
        do
        {
            var page = await Store.Spans.SearchAsync(Home, new(Text: "needle", Cursor: cursor), Ct);
            found.AddRange(page.Items.Select(span => span.Id));
            (cursor, turns) = (page.Next, turns + 1);
        }
        while (cursor is not null);

        Assert.Equal([first.Id], found);
        Assert.Equal(3, turns);
    }

    [Fact]
    public async Task Drawn_pairs_and_served_ones_are_told_by_span()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var (span, metric) = (await SpanAsync(), await MetricAsync());
        await Store.Review.AddPicksAsync(
            Home, [new(span.Id, metric.Id, ReviewReason.RandomAudit, "", 0.5, 0.1),
                new(span.Id, null, ReviewReason.Informative, "", 0.5, null)], Noon, Ct);
        var served = new Core.Judging.Served(span.Id, metric.Id, Core.Judging.ServedMode.Blind, "v", Outcome.Fail);
        await Store.Serving.ServeAsync(Home, [served], Noon, Ct);

        Assert.Equal([new(span.Id, metric.Id)], await Store.Review.DrawnAsync(Home, [span.Id], Ct));
        Assert.Equal([served], await Store.Serving.OfSpansAsync(Home, [span.Id], Ct));
        Assert.Empty(await Store.Review.DrawnAsync(new ProjectId(99), [span.Id], Ct));
    }

    [Fact]
    public async Task A_key_may_be_for_an_agent()
    {
        var key = new ApiKey(Guid.CreateVersion7(), Home, "scout", "fw_1234567", KeyScope.Agent, Noon, null, null);

        await Store.Projects.AddKeyAsync(key, new string('b', 64), Ct);

        Assert.Equal(key, await Store.Projects.FindKeyAsync(new string('b', 64), Ct));
    }

    static SpanEvaluation Said(SpanKey? key, string? response = null, double? score = 1, DateTimeOffset? at = null) =>
        new(key, response, "relevance", EvaluationSource.Model, score, null, "it fits", null, null, "ragas@1", false, at ?? Noon);

    async Task<ReadyEvaluation[]> ReadyAsync(DateTimeOffset now) => [.. await Store.Evaluations.ReadyAsync(100, now, Ct)];

    [Fact]
    public async Task An_evaluation_waits_for_its_span_and_a_repeat_adds_nothing()
    {
        var span = NewSpan();
        await Store.Evaluations.AddAsync(Home, [Said(span.Key)], mayLabel: false, Noon, Ct);
        await Store.Evaluations.AddAsync(Home, [Said(span.Key)], mayLabel: false, Noon.AddMinutes(1), Ct);
        var timeless = Said(span.Key, score: 0, at: DateTimeOffset.UnixEpoch);
        await Store.Evaluations.AddAsync(Home, [timeless], mayLabel: false, Noon, Ct);
        await Store.Evaluations.AddAsync(Home, [timeless], mayLabel: false, Noon.AddMinutes(1), Ct);
        Assert.Equal(2, await CountAsync("span_evaluation"));
        await SqlAsync("DELETE FROM span_evaluation WHERE score = 0");
        Assert.Empty(await ReadyAsync(Noon));
        Assert.Equal(1, await CountAsync("span_evaluation"));

        var stored = await SpanAsync(span);
        Assert.Empty(await ReadyAsync(Noon));
        var ready = Assert.Single(await ReadyAsync(Noon.AddSeconds(2)));
        Assert.Equal((stored.Id, Said(span.Key), false), (ready.Span, ready.Evaluation, ready.MayLabel));
        await Store.Evaluations.RecordAsync(ready, new(), Ct);
        Assert.Empty(await ReadyAsync(Noon.AddHours(1)));

        await Store.Evaluations.AddAsync(Home, [Said(new("no", "where"), at: Noon.AddHours(1))], mayLabel: false, Noon.AddHours(1), Ct);
        Assert.Equal(1, await Store.Evaluations.ForgetAsync(Noon.AddMinutes(30), Ct));
        Assert.Equal(1, await CountAsync("span_evaluation"));
    }

    [Fact]
    public async Task An_evaluation_of_an_answer_finds_the_span_of_the_answer_not_the_one_that_it_was_said_in()
    {
        var evaluator = await SpanAsync();
        await Store.Evaluations.AddAsync(Home, [Said(evaluator.Key, "resp-1")], mayLabel: true, Noon, Ct);
        Assert.Empty(await ReadyAsync(Noon));
        var judged = await SpanAsync(NewSpan() with { Attributes = """{"gen_ai.response.id":"resp-1"}""" });

        Assert.Equal((judged.Id, true), Assert.Single((await ReadyAsync(Noon.AddMinutes(1))).Select(one => (one.Span, one.MayLabel))));

        await Store.Evaluations.AddAsync(Home, [Said(evaluator.Key, "resp-none")], mayLabel: true, Noon, Ct);
        Assert.Equal(evaluator.Id, (await ReadyAsync(Noon.AddMinutes(11))).Single(one => one.Evaluation.ResponseId == "resp-none").Span);
    }

    [Fact]
    public async Task Of_one_evaluators_results_the_newest_counts_in_whatever_order_they_come()
    {
        var (span, metric) = (await SpanAsync(), await MetricAsync());
        await Store.Evaluations.AddAsync(Home, [Said(span.Key, at: Noon.AddHours(2)), Said(span.Key, score: 0)], mayLabel: false, Noon, Ct);
        foreach (var one in (await ReadyAsync(Noon)).Reverse())
            await Store.Evaluations.RecordAsync(
                one, new(Verdict: Verdict(
                    span, metric, one.Evaluation.Score == 1 ? Outcome.Pass : Outcome.Fail, "external:ragas@1", one.Evaluation.At)), Ct);

        Assert.Equal((Outcome.Pass, Noon.AddHours(2)),
            Assert.Single((await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct))
                .Select(verdict => (verdict.Finding.Outcome, verdict.At))));
        await AssertCountsAsync(metric);
        await SqlAsync($"DELETE FROM span WHERE id = {span.Id.Value}");
        Assert.Equal(0, await CountAsync("span_evaluation"));
    }

    [Fact]
    public async Task Verdicts_wait_in_the_outbox_where_it_is_open_until_they_are_sent()
    {
        var metric = await MetricAsync();
        var external = await MetricAsync(
            NewMetric("theirs") with { Validator = new(
                ValidatorSpec.External, System.Text.Json.JsonSerializer.SerializeToElement(new { })) });
        var (before, span) = (await SpanAsync(), await SpanAsync(NewSpan() with { Attributes = """{"gen_ai.response.id":"resp-1"}""" }));
        await JudgeAsync(Verdict(before, metric));
        await Store.Outbox.EnableAsync([Home], Ct);
        var sent = Verdict(span, metric, Outcome.Fail);
        await JudgeAsync(sent);
        await JudgeAsync(Verdict(span, external));
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Skipped));

        var now = Noon.AddHours(1);
        var one = Assert.Single(await Store.Outbox.TakeAsync(10, now, now.AddMinutes(1), Ct));
        Assert.Equal((sent, "short", 1, span.Key, "resp-1"), (one.Verdict, one.Metric, one.MetricNumber, one.Key, one.ResponseId));
        Assert.Empty(await Store.Outbox.TakeAsync(10, now, now.AddMinutes(1), Ct));
        await Store.Outbox.ReleaseAsync([one.Id], Ct);
        Assert.Single(await Store.Outbox.TakeAsync(10, now, now.AddMinutes(1), Ct));
        // Whoever took it died: it comes back.
        Assert.Single(await Store.Outbox.TakeAsync(10, now.AddMinutes(2), now.AddMinutes(3), Ct));
        await Store.Outbox.DoneAsync([one.Id], Ct);
        Assert.Equal(0, await CountAsync("verdict_outbox"));

        await Store.Outbox.EnableAsync([], Ct);
        await JudgeAsync(Verdict(await SpanAsync(), metric));
        Assert.Equal(0, await CountAsync("verdict_outbox"));
    }

    [Fact]
    public async Task No_work_is_made_for_a_metric_that_is_judged_elsewhere()
    {
        await MetricAsync(NewMetric(
            "theirs") with { Validator = new(ValidatorSpec.External, System.Text.Json.JsonSerializer.SerializeToElement(new { })) });
        await MetricAsync();
        await SpanAsync();

        await FanOutAsync();

        Assert.Equal(1, await CountAsync("job"));
        Assert.Equal(0, await CountAsync("verdict"));
    }
}
