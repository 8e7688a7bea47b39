using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Retrieval;
using Flywheel.Core.Review;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class PeopleConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task A_label_correction_or_feedback_counts_once()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        var label = Label(span, metric, true) with { Propensity = 0.02 };
        var correction = Correction(span);
        var feedback = new Feedback(Guid.CreateVersion7(), Home, "t", null, "thumbs", "true", "nice", "u", Noon);

        Assert.Equal(InsertResult.Stored, await Store.Labels.AddAsync(label, Ct));
        Assert.Equal(InsertResult.Repeated, await Store.Labels.AddAsync(label with { CreatedAt = Noon.AddHours(1) }, Ct));
        Assert.Equal(InsertResult.Conflicting, await Store.Labels.AddAsync(label with { Passed = false }, Ct));
        Assert.Equal(InsertResult.Stored, await Store.Corrections.AddAsync(correction, Ct));
        Assert.Equal(InsertResult.Repeated, await Store.Corrections.AddAsync(correction, Ct));
        Assert.Equal(InsertResult.Conflicting, await Store.Corrections.AddAsync(correction with { CorrectedOutput = "x" }, Ct));
        Assert.Equal(InsertResult.Stored, await Store.Feedback.AddAsync(feedback, Ct));
        Assert.Equal(InsertResult.Repeated, await Store.Feedback.AddAsync(feedback, Ct));
        Assert.Equal(InsertResult.Conflicting, await Store.Feedback.AddAsync(feedback with { Value = "false" }, Ct));

        Assert.Equal([label], await Store.Labels.OfSpansAsync(Home, [span.Id], Ct));
        Assert.Equal([label], await Store.Labels.ListAsync(Home, metric.Id, 10, Ct));
        Assert.Equal([label], await Store.Labels.ListAsync(Home, null, 10, Ct));
        Assert.Equal([correction], await Store.Corrections.OfSpansAsync(Home, [span.Id], Ct));
        Assert.Equal([correction], await Store.Corrections.ListAsync(Home, 10, Ct));
        Assert.Equal([feedback], await Store.Feedback.OfTraceAsync(Home, "t", Ct));
    }

    [Fact]
    public async Task What_does_not_exist_cannot_be_labelled_or_corrected()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();

        await Assert.ThrowsAsync<KeyNotFoundException>(() => Store.Labels.AddAsync(Label(span, metric, true) with { Span = new(999) }, Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(
            () => Store.Labels.AddAsync(Label(span, metric, true) with { Metric = new(999) }, Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(() => Store.Corrections.AddAsync(Correction(span) with { Span = new(999) }, Ct));
    }

    [Fact]
    public async Task A_correction_makes_a_pending_demonstration_for_its_node()
    {
        var span = await SpanAsync(NewSpan() with { EndUser = "u" });
        var correction = Correction(span);
        await Store.Corrections.AddAsync(correction, Ct);

        var made = (await Store.Demonstrations.OfSourceAsync(Home, correction.Id, Ct))!;

        Assert.Equal(
            new(made.Id, Home, DemonstrationPurpose.Task, "intent", "Where is my parcel?", "delivery", "tracking",
                "wrong topic\nthe parcel is the topic", 1, "u", span.Id.Value, DemonstrationState.Pending, "ann", Noon, null, null, null,
                null)
            {
                Source = correction.Id,
            },
            made);
        // Prompts that name it still do after an export and an import.
        Assert.Equal(correction.Id, made.Id);
    }

    [Fact]
    public async Task A_confirmation_makes_a_demonstration_that_was_not_fixed()
    {
        var span = await SpanAsync();
        var correction = Correction(span, "tracking", wrong: null) with { Reasoning = null };
        await Store.Corrections.AddAsync(correction, Ct);

        var made = (await Store.Demonstrations.OfSourceAsync(Home, correction.Id, Ct))!;

        Assert.False(made.IsFixed);
        Assert.Equal((0.0, null), (made.Disagreement, made.Reason));
    }

    [Theory]
    [InlineData(null, null, true, 0.5)]
    [InlineData(Outcome.Pass, null, true, 0)]
    [InlineData(Outcome.Pass, 0.75, true, 0.25)]
    [InlineData(Outcome.Pass, 0.75, false, 0.75)]
    [InlineData(Outcome.Fail, null, true, 1)]
    [InlineData(Outcome.Fail, 0.75, false, 0.25)]
    [InlineData(Outcome.Unsure, 0.9, false, 0.5)]
    public async Task A_label_teaches_the_judge_as_much_as_the_judge_was_wrong(
        Outcome? outcome, double? confidence, bool passed, double disagreement)
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        if (outcome is { } judged)
            await JudgeAsync(Verdict(span, metric, judged, confidence: confidence));
        var label = Label(span, metric, passed);
        await Store.Labels.AddAsync(label, Ct);

        var made = (await Store.Demonstrations.OfSourceAsync(Home, label.Id, Ct))!;

        Assert.Equal(disagreement, made.Disagreement, precision: 12);
        Assert.Equal(
            (DemonstrationPurpose.Judge, "short", "tracking", passed ? "pass" : "fail", "critique", DemonstrationState.Pending),
            (made.Purpose, made.Target, made.Input, made.Output, made.Reason, made.State));
    }

    [Fact]
    public async Task A_judge_of_inputs_learns_from_inputs_and_never_from_accepted_suggestions()
    {
        var metric = await MetricAsync(NewMetric() with { Subject = MetricSubject.Input });
        var span = await SpanAsync();
        var (edited, accepted) = (Label(span, metric, true, LabelMode.Edited), Label(span, metric, true, LabelMode.Accepted));
        await Store.Labels.AddAsync(edited, Ct);
        await Store.Labels.AddAsync(accepted, Ct);

        Assert.Equal("Where is my parcel?", (await Store.Demonstrations.OfSourceAsync(Home, edited.Id, Ct))!.Input);
        Assert.Null(await Store.Demonstrations.OfSourceAsync(Home, accepted.Id, Ct));

        Assert.True(await Store.Labels.RemoveAsync(Home, edited.Id, "bob", Noon, Ct));
        Assert.False(await Store.Labels.RemoveAsync(Home, edited.Id, "bob", Noon, Ct));
        Assert.Null(await Store.Demonstrations.OfSourceAsync(Home, edited.Id, Ct));
        Assert.Equal("label.remove", (await Store.Audit.ListAsync(Home, 1, Ct))[0].Action);
    }

    [Fact]
    public async Task The_queue_shows_what_failed_or_is_unsure_until_a_person_labels_it()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var (failed, unsure, passed) = (await SpanAsync(), await SpanAsync(), await SpanAsync());
        await JudgeAsync(Verdict(failed, metric, Outcome.Fail));
        await JudgeAsync(Verdict(unsure, metric, Outcome.Unsure));
        await JudgeAsync(Verdict(passed, metric, Outcome.Pass));

        var items = (await Store.Review.ListAsync(Home, new(), Ct)).Items;
        Assert.Equal([(unsure.Id, ReviewReason.Unsure), (failed.Id, ReviewReason.LowScore)],
            items.Select(item => (item.Span, item.Reason)));
        Assert.Equal(("because", "short", "intent", "tracking"), (items[1].Detail, items[1].Metric, items[1].Node, items[1].Output));

        await Store.Labels.AddAsync(Label(failed, metric, false), Ct);
        Assert.Equal([unsure.Id], (await Store.Review.ListAsync(Home, new(), Ct)).Items.Select(item => item.Span));
        await JudgeAsync(Verdict(unsure, metric, Outcome.Pass, "v2", Noon.AddMinutes(1)));
        Assert.Empty((await Store.Review.ListAsync(Home, new(), Ct)).Items);
    }

    [Fact]
    public async Task A_retired_metric_asks_nobody()
    {
        var metric = await MetricAsync();
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Fail));

        await Store.Metrics.SetStateAsync(Home, "short", MetricState.Retired, "ann", Noon, Ct);

        Assert.Empty((await Store.Review.ListAsync(Home, new(), Ct)).Items);
    }

    [Fact]
    public async Task A_contradicted_judge_asks_for_a_second_person_and_two_people_who_differ_for_a_third()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Pass));
        async Task<ReviewReason[]> ReasonsAsync() =>
            [.. (await Store.Review.ListAsync(Home, new(), Ct)).Items.Select(item => item.Reason)];

        await Store.Labels.AddAsync(Label(span, metric, false), Ct);
        Assert.Equal([ReviewReason.Disagreement], await ReasonsAsync());
        await Store.Labels.AddAsync(Label(span, metric, true, author: "bob", at: Noon.AddHours(1)), Ct);
        Assert.Equal([ReviewReason.Adjudicate], await ReasonsAsync());
        await Store.Labels.AddAsync(Label(span, metric, true, author: "cleo", at: Noon.AddHours(2)), Ct);
        Assert.Empty(await ReasonsAsync());
    }

    [Fact]
    public async Task A_second_person_who_agrees_settles_it()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, metric, Outcome.Pass));
        await Store.Labels.AddAsync(Label(span, metric, false), Ct);
        await Store.Labels.AddAsync(Label(span, metric, false, author: "bob"), Ct);

        Assert.Empty((await Store.Review.ListAsync(Home, new(), Ct)).Items);
    }

    [Fact]
    public async Task Picks_wait_until_answered_and_come_in_order_page_by_page()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var metric = await MetricAsync();
        var spans = new List<Span>();
        for (var i = 0; i < 6; i++)
            spans.Add(await SpanAsync());
        await Store.Review.AddPicksAsync(
            Home,
            [
                new(spans[0].Id, null, ReviewReason.Informative, "a", 0.2, null),
                new(spans[1].Id, null, ReviewReason.Informative, "b", 0.9, null),
                new(spans[2].Id, metric.Id, ReviewReason.RandomAudit, "c", 0, 0.1),
                new(spans[3].Id, metric.Id, ReviewReason.Informative, "d", 0.9, null),
                new(new(999), null, ReviewReason.Informative, "no span", 1, null),
            ],
            Noon, Ct);
        await Store.Review.AddPicksAsync(Home, [new(spans[0].Id, null, ReviewReason.Informative, "again", 1, null)], Noon, Ct);
        await JudgeAsync(Verdict(spans[4], metric, Outcome.Fail));
        await JudgeAsync(Verdict(spans[5], metric, Outcome.Fail));

        var seen = new List<ReviewItem>();
        string? cursor = null;
        do
        {
            var page = await Store.Review.ListAsync(Home, new(Cursor: cursor, Limit: 2), Ct);
            seen.AddRange(page.Items);
            cursor = page.Next;
        }
        while (cursor is not null);

        Assert.Equal([spans[2].Id, spans[3].Id, spans[1].Id, spans[0].Id, spans[5].Id, spans[4].Id], seen.Select(item => item.Span));
        Assert.Equal(seen.Select(item => item.Priority).OrderDescending(), seen.Select(item => item.Priority));
        Assert.Equal(("a", null, 0.1), (seen[3].Detail, seen[3].Metric, seen[0].Propensity!.Value));

        await Store.Corrections.AddAsync(Correction(spans[0]), Ct);
        await Store.Labels.AddAsync(Label(spans[2], metric, true), Ct);
        var left = (await Store.Review.ListAsync(Home, new(), Ct)).Items;
        Assert.Equal([spans[3].Id, spans[1].Id, spans[5].Id, spans[4].Id], left.Select(item => item.Span));
        Assert.Equal(2, (await Store.Review.ListAsync(Home, new(Reason: ReviewReason.LowScore), Ct)).Items.Count);
        Assert.Equal(3, (await Store.Review.ListAsync(Home, new(Metric: "short"), Ct)).Items.Count);
        Assert.Empty((await Store.Review.ListAsync(Home, new(Node: "nowhere"), Ct)).Items);
    }

    [Fact]
    public async Task A_label_and_a_correction_with_one_id_make_two_demonstrations_whose_ids_follow_from_it()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        var label = Label(span, metric, true);
        await Store.Labels.AddAsync(label, Ct);
        await Store.Corrections.AddAsync(Correction(span) with { Id = label.Id }, Ct);

        var made = (await Store.Demonstrations.ListAsync(Home, new(), Ct)).Items;

        Assert.Equal(
            [label.Id, Guid.Parse(label.Id.ToString("D")[..14] + "8" + label.Id.ToString("D")[15..])],
            made.OrderBy(one => one.Purpose).Select(one => one.Id));
    }

    [Fact]
    public async Task A_corrected_output_no_longer_waits_for_a_look_at_it_but_its_input_does()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);
        var (output, input) = (await MetricAsync(), await MetricAsync(NewMetric() with { Name = "asked", Subject = MetricSubject.Input }));
        var span = await SpanAsync();
        await JudgeAsync(Verdict(span, output, Outcome.Fail));
        await JudgeAsync(Verdict(span, input, Outcome.Unsure));
        Assert.Equal(2, (await Store.Review.ListAsync(Home, new(), Ct)).Items.Count);

        await Store.Corrections.AddAsync(Correction(span), Ct);

        Assert.Equal(["asked"], (await Store.Review.ListAsync(Home, new(), Ct)).Items.Select(item => item.Metric));
    }

    [Fact]
    public async Task A_failed_span_that_was_also_drawn_at_random_carries_its_probability()
    {
        await Store.Projects.SetLimitsAsync(Home, null, null, 1, Ct);
        var metric = await MetricAsync();
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Fail));

        var items = (await Store.Review.ListAsync(Home, new(), Ct)).Items;

        Assert.Equal([ReviewReason.RandomAudit, ReviewReason.LowScore], items.Select(item => item.Reason));
        Assert.All(items, item => Assert.Equal(1, item.Propensity));
    }
}
