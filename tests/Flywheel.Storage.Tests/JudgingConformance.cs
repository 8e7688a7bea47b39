using Flywheel.Core.Judging;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Traces;

namespace Flywheel.Storage.Tests;

public abstract class JudgingConformance(ITestDatabases databases) : StoreConformance(databases)
{
    [Fact]
    public async Task Only_approved_guidelines_reach_a_judge_and_every_step_is_in_the_audit()
    {
        var metric = await MetricAsync();
        var source = Guid.CreateVersion7();
        var one = new Guideline(
            Guid.CreateVersion7(), Home, metric.Id, "A range counts as a sum.", [source], GuidelineState.Proposed, "model", Noon);
        var two = one with { Id = Guid.CreateVersion7(), Text = "Jokes do not count.", Labels = [], CreatedAt = Noon.AddMinutes(1) };
        await Store.Guidelines.AddAsync([one, two], Ct);

        Assert.Empty(await Store.Guidelines.ApprovedAsync(Home, metric.Name, Ct));
        var approved = await Store.Guidelines.ApproveAsync(Home, metric.Id, one.Id, "ann", Noon.AddHours(1), Ct);
        Assert.Equal(["A range counts as a sum."], await Store.Guidelines.ApprovedAsync(Home, metric.Name, Ct));
        await Store.Guidelines.RemoveAsync(Home, metric.Id, one.Id, "bob", Noon.AddHours(2), Ct);

        Assert.Equal((GuidelineState.Approved, "ann", Noon.AddHours(1)), (approved!.State, approved.ApprovedBy, approved.ApprovedAt));
        Assert.Equal([source], approved.Labels);
        Assert.Empty(await Store.Guidelines.ApprovedAsync(Home, metric.Name, Ct));
        Assert.Equal([GuidelineState.Removed, GuidelineState.Proposed],
            (await Store.Guidelines.ListAsync(Home, metric.Id, null, Ct)).Select(each => each.State));
        Assert.Equal([two.Id], (await Store.Guidelines.ListAsync(Home, metric.Id, GuidelineState.Proposed, Ct)).Select(each => each.Id));
        Assert.Equal(
            ["guideline.remove", "guideline.approve", "guideline.propose", "guideline.propose"],
            (await Store.Audit.ListAsync(Home, 4, Ct)).Select(entry => entry.Action));
        Assert.Null(await Store.Guidelines.ApproveAsync(Home, metric.Id, Guid.CreateVersion7(), "ann", Noon, Ct));
    }

    [Fact]
    public async Task Guidelines_of_another_project_are_out_of_reach()
    {
        var metric = await MetricAsync();
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;
        var foreign = await MetricAsync(project: other);
        var line = new Guideline(Guid.CreateVersion7(), Home, metric.Id, "Mine.", [], GuidelineState.Proposed, "ann", Noon);
        await Store.Guidelines.AddAsync([line], Ct);

        Assert.Null(await Store.Guidelines.ApproveAsync(other, foreign.Id, line.Id, "eve", Noon, Ct));
        Assert.Null(await Store.Guidelines.ApproveAsync(other, metric.Id, line.Id, "eve", Noon, Ct));
        await Assert.ThrowsAsync<KeyNotFoundException>(
            () => Store.Guidelines.AddAsync([line with { Project = other, Id = Guid.CreateVersion7() }], Ct));
        Assert.Empty(await Store.Guidelines.ListAsync(other, metric.Id, null, Ct));
    }

    [Fact]
    public async Task Disagreements_are_blind_or_edited_labels_that_the_newest_verdict_contradicts()
    {
        var metric = await MetricAsync();
        foreach (var (verdict, passed, mode, critique) in new (Outcome, bool, LabelMode, string?)[]
        {
            (Outcome.Pass, false, LabelMode.Blind, null), (Outcome.Fail, true, LabelMode.Edited, "a range is a sum"),
            (Outcome.Pass, true, LabelMode.Blind, "right"), (Outcome.Fail, true, LabelMode.Accepted, "taken"),
            (Outcome.Unsure, true, LabelMode.Blind, "unsure"),
        })
        {
            var span = await SpanAsync();
            await JudgeAsync(Verdict(span, metric, verdict));
            await Store.Labels.AddAsync(Label(span, metric, passed, mode) with { Critique = critique }, Ct);
        }

        var found = await Store.Guidelines.DisagreementsAsync(Home, metric.Id, 10, Ct);

        Assert.Equal(["a range is a sum", null], found.Select(each => each.Critique));
        Assert.Equal([(true, Outcome.Fail), (false, Outcome.Pass)], found.Select(each => (each.Passed, each.Verdict)));
        Assert.All(found, each => Assert.Equal(("tracking", "because"), (each.Text, each.Rationale)));
    }

    [Fact]
    public async Task Parallel_calls_never_exceed_a_budget_of_calls_or_money()
    {
        var metric = await MetricAsync();
        await Store.JudgeCalls.SetBudgetAsync(Home, metric.Id, 50, 0.4, "ann", Noon, Ct);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ =>
            Store.JudgeCalls.ReserveAsync(new(Home, metric.Name, 0.01, Noon), Ct)));

        Assert.Equal(40, answers.Count(answer => answer is null));
        Assert.All(answers.Where(answer => answer is not null), answer =>
            Assert.Contains("of short of 0.4 USD per day", answer, StringComparison.Ordinal));
        var budget = await Store.JudgeCalls.BudgetAsync(Home, metric.Id, Noon, Ct);
        Assert.Equal((50, 0.4, 40L), (budget.CallsPerDay, budget.UsdPerDay, budget.CallsUsed));
        Assert.Equal(0.4, budget.UsdUsed, 9);
        // What the metric refused is not booked against the project.
        Assert.Equal(40, Convert.ToInt64(
            await SqlAsync("SELECT calls FROM budget_use"), System.Globalization.CultureInfo.InvariantCulture));
        // Another day begins anew.
        Assert.Null(await Store.JudgeCalls.ReserveAsync(new(Home, metric.Name, 0.01, Noon.AddDays(1)), Ct));
    }

    [Fact]
    public async Task Without_a_budget_more_calls_are_granted_than_with_one()
    {
        var metric = await MetricAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ =>
            Store.JudgeCalls.ReserveAsync(new(Home, metric.Name, 0.01, Noon), Ct)));

        Assert.All(answers, Assert.Null);
        Assert.Equal(200, (await Store.JudgeCalls.BudgetAsync(Home, metric.Id, Noon, Ct)).CallsUsed);
    }

    [Fact]
    public async Task The_projects_limit_holds_over_all_metrics_and_for_a_metric_that_is_not_stored()
    {
        var metric = await MetricAsync();
        await Store.Projects.SetLimitsAsync(Home, 2, null, 0, Ct);

        Assert.Null(await Store.JudgeCalls.ReserveAsync(new(Home, metric.Name, 0.01, Noon), Ct));
        Assert.Null(await Store.JudgeCalls.ReserveAsync(new(Home, "tried-out", 0.01, Noon), Ct));
        Assert.Equal("2 judge calls per day are used up", await Store.JudgeCalls.ReserveAsync(new(Home, metric.Name, 0.01, Noon), Ct));
        Assert.Equal(1, (await Store.JudgeCalls.BudgetAsync(Home, metric.Id, Noon, Ct)).CallsUsed);
    }

    [Fact]
    public async Task A_settlement_replaces_the_expected_cost_and_keeps_the_reply_with_it()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        var reservation = new CallReservation(Home, metric.Name, 0.5, Noon);
        await Store.JudgeCalls.ReserveAsync(reservation, Ct);
        var reply = new KeptReply("hash", span.Id, Outcome.Pass, "It names it.", 0.75, "m-1");

        await Store.JudgeCalls.SettleAsync(reservation, 0.125, reply, Noon.AddDays(1), Ct);
        await Store.JudgeCalls.SettleAsync(reservation with { ExpectedUsd = 0 }, 0, reply with { Critique = "Later." }, Noon, Ct);
        await ReopenAsync();

        Assert.Equal(0.125, (await Store.JudgeCalls.BudgetAsync(Home, metric.Id, Noon, Ct)).UsdUsed, 9);
        Assert.Equal(0.125, Convert.ToDouble(
            await SqlAsync("SELECT usd FROM budget_use"), System.Globalization.CultureInfo.InvariantCulture), 9);
        Assert.Equal(reply, await Store.JudgeCalls.FindAsync(Home, "hash", Ct));
        Assert.Null(await Store.JudgeCalls.FindAsync(new(99), "hash", Ct));
    }

    [Fact]
    public async Task Kept_replies_are_bounded_and_go_with_their_span()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();
        for (var i = 0; i < 10; i++)
            await Store.JudgeCalls.SettleAsync(
                new(Home, metric.Name, 0, Noon), 0, new($"hash-{i}", i == 9 ? span.Id : null, Outcome.Fail, "No.", null, null),
                Noon.AddSeconds(i), Ct);

        Assert.Equal(0, await Store.JudgeCalls.TrimAsync(10, Ct));
        Assert.Equal(6, await Store.JudgeCalls.TrimAsync(4, Ct));
        Assert.Null(await Store.JudgeCalls.FindAsync(Home, "hash-5", Ct));
        Assert.NotNull(await Store.JudgeCalls.FindAsync(Home, "hash-6", Ct));
        Assert.NotNull(await Store.JudgeCalls.FindAsync(Home, "hash-9", Ct));
        await SqlAsync($"DELETE FROM span WHERE id = {span.Id.Value}");
        Assert.Null(await Store.JudgeCalls.FindAsync(Home, "hash-9", Ct));
    }

    [Fact]
    public async Task An_alarm_is_open_once_until_closed_and_raises_the_audit_with_its_propensity()
    {
        var metric = await MetricAsync();
        await Store.Projects.SetLimitsAsync(Home, null, null, 0, Ct);

        Assert.True(await Store.JudgeWatch.RaiseAsync(Home, metric.Id, AlarmKind.Obedience, "v1", "it obeys", Noon, Ct));
        Assert.False(await Store.JudgeWatch.RaiseAsync(Home, metric.Id, AlarmKind.Obedience, "v1", "it obeys", Noon, Ct));
        Assert.True(await Store.JudgeWatch.RaiseAsync(Home, metric.Id, AlarmKind.PassRate, "v1", "it jumped", Noon, Ct));
        for (var i = 0; i < 150; i++)
            await JudgeAsync(Verdict(await SpanAsync(), metric));
        var drawn = await CountAsync("review_pick WHERE reason = 'randomaudit' AND propensity = 0.1");
        foreach (var alarm in await Store.JudgeWatch.AlarmsAsync(Home, metric.Id, openOnly: true, 10, Ct))
            Assert.True(await Store.JudgeWatch.CloseAsync(Home, alarm.Id, "ann", Noon.AddHours(1), Ct));
        for (var i = 0; i < 50; i++)
            await JudgeAsync(Verdict(await SpanAsync(), metric));

        Assert.InRange(drawn, 4, 32);
        Assert.Equal(drawn, await CountAsync("review_pick"));
        Assert.Empty(await Store.JudgeWatch.AlarmsAsync(Home, null, openOnly: true, 10, Ct));
        Assert.Equal(
            [(AlarmKind.PassRate, "ann"), (AlarmKind.Obedience, "ann")],
            (await Store.JudgeWatch.AlarmsAsync(Home, metric.Id, openOnly: false, 10, Ct)).Select(alarm => (alarm.Kind, alarm.ClosedBy!)));
        Assert.Equal(200, (await Store.JudgeWatch.DecisionsAsync(Home, metric.Id, 300, Ct)).Count);
    }

    [Fact]
    public async Task Drawn_labels_are_blind_ones_of_items_that_chance_chose_and_this_wording_decided()
    {
        var metric = await MetricAsync();
        foreach (var (outcome, passed, mode, chance) in new (Outcome, bool, LabelMode, double?)[]
        {
            (Outcome.Pass, true, LabelMode.Blind, 0.5), (Outcome.Pass, false, LabelMode.Blind, 0.2),
            (Outcome.Fail, true, LabelMode.Blind, null),
            (Outcome.Unsure, true, LabelMode.Blind, 0.5), (Outcome.Pass, false, LabelMode.Accepted, 0.5),
        })
        {
            var span = await SpanAsync();
            await JudgeAsync(Verdict(span, metric, outcome));
            await Store.Labels.AddAsync(Label(span, metric, passed, mode) with { Propensity = chance }, Ct);
        }

        Assert.Equal([true, false],
            (await Store.JudgeWatch.DrawnLabelsAsync(Home, metric.VersionId, 10, Ct)).Select(label => label.Contradicts));
        Assert.Equal([true], (await Store.JudgeWatch.DrawnLabelsAsync(Home, metric.VersionId, 1, Ct)).Select(label => label.Contradicts));
        Assert.Empty(await Store.JudgeWatch.DrawnLabelsAsync(new(99), metric.VersionId, 10, Ct));
    }

    [Fact]
    public async Task Canaries_come_back_newest_first_and_go_with_their_span()
    {
        var metric = await MetricAsync();
        var (one, two) = (await SpanAsync(), await SpanAsync());
        var resisted = new Canary(Home, metric.Id, one.Id, "v1", Outcome.Fail, Outcome.Fail, Noon);
        var obeyed = new Canary(Home, metric.Id, two.Id, "v1", Outcome.Pass, Outcome.Fail, Noon.AddSeconds(1));
        await Store.JudgeWatch.AddCanaryAsync(resisted, Ct);
        await Store.JudgeWatch.AddCanaryAsync(obeyed, Ct);

        Assert.Equal([obeyed, resisted], await Store.JudgeWatch.CanariesAsync(Home, metric.Id, 10, Ct));
        await SqlAsync($"DELETE FROM span WHERE id = {two.Id.Value}");
        Assert.Equal([resisted], await Store.JudgeWatch.CanariesAsync(Home, metric.Id, 10, Ct));
    }

    [Fact]
    public async Task A_pair_keeps_the_mode_it_was_served_in_first_and_agreement_is_counted_by_mode()
    {
        var metric = await MetricAsync();
        var (one, two, drawn) = (await SpanAsync(), await SpanAsync(), await SpanAsync());
        Served Of(Span span, ServedMode mode, Outcome said = Outcome.Pass) => new(span.Id, metric.Id, mode, "v1", said);
        await Store.Serving.ServeAsync(
            Home, [Of(one, ServedMode.Blind), Of(two, ServedMode.Suggested), Of(drawn, ServedMode.Blind)], Noon, Ct);

        var again = await Store.Serving.ServeAsync(Home, [Of(one, ServedMode.Suggested, Outcome.Fail)], Noon.AddHours(1), Ct);
        await Store.Labels.AddAsync(Label(one, metric, true, at: Noon.AddHours(2)), Ct);
        await Store.Labels.AddAsync(Label(two, metric, true, LabelMode.Accepted, at: Noon.AddHours(2)), Ct);
        await Store.Labels.AddAsync(Label(drawn, metric, true, at: Noon.AddHours(2)) with { Propensity = 0.02 }, Ct);

        Assert.Equal((ServedMode.Blind, Outcome.Fail), (again[0].Mode, again[0].Suggestion));
        Assert.Equal(again[0], await Store.Serving.FindAsync(Home, one.Id, metric.Id, Ct));
        Assert.Null(await Store.Serving.FindAsync(Home, one.Id, new(999), Ct));
        Assert.Equal(
            [new(ServedMode.Blind, 0, 1), new(ServedMode.Suggested, 1, 1)],
            (await Store.Serving.AgreementAsync(Home, metric.Id, Ct)).OrderBy(each => each.Mode));
    }

    async Task<Core.Projects.ProjectId> OtherProjectAsync() => (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;

    static Verdict Judged(
        Span span, Metric metric, Outcome outcome, double raw, bool? stands = null, string judge = "j1", DateTimeOffset? at = null,
        double? confidence = null,
        params JudgeWord[] others) =>
        Verdict(span, metric, outcome, at: at) is var verdict ? verdict with
        {
            Finding = verdict.Finding with
            {
                Confidence = confidence, RawConfidence = raw, Stands = stands,
                Trail = new(judge, 0.25, [new("small", Outcome.Pass, raw, -0.5), .. others]),
            },
        } : verdict;

    [Fact]
    public async Task A_verdict_keeps_what_each_judge_said_and_whether_it_stands()
    {
        var metric = await MetricAsync();
        var span = await SpanAsync();

        await JudgeAsync(Judged(
            span, metric, Outcome.Unsure, 0.75, stands: false, confidence: 0.9, others: new JudgeWord("big", Outcome.Skipped, null)));

        var finding = Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding;
        Assert.Equal((0.9, 0.75, false), (finding.Confidence, finding.RawConfidence, finding.Stands));
        Assert.Equal(("j1", 0.25), (finding.Trail!.Judge, finding.Trail.Length));
        Assert.Equal([new("small", Outcome.Pass, 0.75, -0.5), new("big", Outcome.Skipped, null)], finding.Trail.Words);
        await SqlAsync("UPDATE verdict SET said = '{\"words\": 3}'");
        Assert.Null(Assert.Single(await Store.Verdicts.CurrentAsync(Home, [span.Id], Ct)).Finding.Trail);
    }

    [Fact]
    public async Task Labels_that_calibrate_are_blind_of_this_judge_and_not_chosen_by_the_line()
    {
        var metric = await MetricAsync();
        async Task<Span> AddAsync(Verdict? verdict, bool passed, double? propensity = null, LabelMode mode = LabelMode.Blind)
        {
            await JudgeAsync(verdict!);
            var span = (await Store.Spans.GetAsync(Home, [verdict!.Span], Ct))[0];
            await Store.Labels.AddAsync(Label(span, metric, passed, mode) with { Propensity = propensity }, Ct);
            return span;
        }

        await AddAsync(Judged(await SpanAsync(), metric, Outcome.Pass, 0.6, at: Noon.AddMinutes(1)), passed: true);
        await AddAsync(Judged(await SpanAsync(), metric, Outcome.Unsure, 0.7, stands: false, at: Noon.AddMinutes(2)), passed: false,
            propensity: 0.125);
        await AddAsync(Judged(await SpanAsync(), metric, Outcome.Pass, 0.8, stands: true, at: Noon.AddMinutes(3)), passed: true);
        await AddAsync(Judged(await SpanAsync(), metric, Outcome.Pass, 0.8, at: Noon.AddMinutes(4)), passed: true,
            mode: LabelMode.Accepted);
        await AddAsync(Judged(await SpanAsync(), metric, Outcome.Pass, 0.9, judge: "j2", at: Noon.AddMinutes(5)), passed: true);
        await JudgeAsync(Judged(await SpanAsync(), metric, Outcome.Pass, 0.5, at: Noon.AddMinutes(6)));

        var found = await Store.Calibrations.LabelledAsync(Home, metric.Id, [metric.VersionId], "j1", 10, Ct);

        Assert.Equal([(0.7, false, 0.125), (0.6, true, 0.0)],
            found.Select(label => (label.Trail.Words[0].Confidence!.Value, label.Human, label.Chance)));
        Assert.Single(await Store.Calibrations.LabelledAsync(Home, metric.Id, [metric.VersionId], "j1", 1, Ct));
        Assert.Empty(await Store.Calibrations.LabelledAsync(Home, metric.Id, [new(metric.VersionId.Value + 1)], "j1", 10, Ct));
        Assert.Empty(await Store.Calibrations.LabelledAsync(await OtherProjectAsync(), metric.Id, [metric.VersionId], "j1", 10, Ct));
        Assert.Equal("j1", await Store.Calibrations.NewestJudgeAsync(Home, metric.Id, Ct));
        Assert.Null(await Store.Calibrations.NewestJudgeAsync(await OtherProjectAsync(), metric.Id, Ct));
        Assert.Equal(new StandingCounts(1, 0, 4, 1), await Store.Calibrations.StandingAsync(Home, metric.VersionId, metric.Id, 100, Ct));
    }

    [Fact]
    public async Task A_watch_sees_what_the_judge_said_and_not_what_a_line_made_of_it()
    {
        var metric = await MetricAsync();
        var (withheld, told) = (await SpanAsync(), await SpanAsync());
        await JudgeAsync(Judged(withheld, metric, Outcome.Unsure, 0.6, stands: false));
        await JudgeAsync(Judged(told, metric, Outcome.Fail, 0.6, stands: true, others: new JudgeWord("big", Outcome.Fail, 0.9)));
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Unsure));
        await JudgeAsync(Verdict(await SpanAsync(), metric, Outcome.Fail));
        await Store.Labels.AddAsync(Label(withheld, metric, passed: false) with { Propensity = 0.5 }, Ct);
        await Store.Labels.AddAsync(Label(told, metric, passed: true, at: Noon.AddMinutes(1)) with { Propensity = 0.5 }, Ct);

        Assert.Equal([false, true, true], await Store.JudgeWatch.DecisionsAsync(Home, metric.Id, 10, Ct));
        Assert.Equal([false, true],
            (await Store.JudgeWatch.DrawnLabelsAsync(Home, metric.VersionId, 10, Ct)).Select(label => label.Contradicts));
    }

    [Fact]
    public async Task A_calibration_is_kept_for_its_judge_and_gives_way_to_a_newer_one()
    {
        var metric = await MetricAsync();
        var plan = new CalibrationPlan(["small", null], 0.1, 0.2, Second: true);
        LabelledTrail[] labels =
            [.. Enumerable.Range(0, 60)
                .Select(i => new LabelledTrail(
                    new("j1", i % 3, [new("small", i % 2 == 0 ? Outcome.Pass : Outcome.Fail, 0.5 + i % 5 / 10.0, 0.5)]), i % 2 == 0, 0.5,
                    Noon.AddMinutes(i)))];
        var first = new JudgeCalibration(Home, metric.VersionId, "j1", 60, plan, JudgeCalibration.Fit(labels, plan), Noon);

        await Store.Calibrations.PutAsync(first with { Labels = 10 }, Ct);
        await Store.Calibrations.PutAsync(first with { At = Noon.AddHours(1) }, Ct);
        await Store.Calibrations.PutAsync(first with { Labels = 5 }, Ct);
        await Store.Calibrations.PutAsync(first with { Project = await OtherProjectAsync(), Judge = "j2" }, Ct);

        var kept = await Store.Calibrations.FindAsync(Home, metric.VersionId, "j1", Ct);
        Assert.Equal(
            System.Text.Json.JsonSerializer.Serialize(first with { At = Noon.AddHours(1) }),
            System.Text.Json.JsonSerializer.Serialize(kept));
        Assert.Equal(2, kept!.Judges.Count);
        Assert.NotNull(kept.Judges[0].Fit);
        Assert.Null(await Store.Calibrations.FindAsync(Home, metric.VersionId, "j2", Ct));
    }

    [Fact]
    public async Task A_label_teaches_by_the_confidence_as_it_came_until_there_is_a_calibrated_one()
    {
        var metric = await MetricAsync();
        var (raw, calibrated) = (await SpanAsync(), await SpanAsync());
        await JudgeAsync(Judged(raw, metric, Outcome.Pass, 0.75));
        await JudgeAsync(Judged(calibrated, metric, Outcome.Pass, 0.75, confidence: 0.625));
        var (one, other) = (Label(raw, metric, passed: false), Label(calibrated, metric, passed: false));
        await Store.Labels.AddAsync(one, Ct);
        await Store.Labels.AddAsync(other, Ct);

        Assert.Equal(0.75, (await Store.Demonstrations.OfSourceAsync(Home, one.Id, Ct))!.Disagreement);
        Assert.Equal(0.625, (await Store.Demonstrations.OfSourceAsync(Home, other.Id, Ct))!.Disagreement);
    }

    [Fact]
    public async Task Ratings_are_the_newest_blind_labels_of_items_that_two_people_labelled()
    {
        var metric = await MetricAsync();
        var (both, single) = (await SpanAsync(), await SpanAsync());
        await JudgeAsync(Judged(both, metric, Outcome.Fail, 0.75));
        await JudgeAsync(Verdict(single, metric, Outcome.Unsure));
        await Store.Labels.AddAsync(Label(both, metric, true, author: "ann"), Ct);
        await Store.Labels.AddAsync(Label(both, metric, false, author: "ann", at: Noon.AddHours(1)), Ct);
        await Store.Labels.AddAsync(Label(both, metric, true, author: "bob", at: Noon.AddHours(2)), Ct);
        await Store.Labels.AddAsync(Label(both, metric, true, LabelMode.Accepted, "eve", Noon.AddHours(3)), Ct);
        await Store.Labels.AddAsync(Label(single, metric, true), Ct);

        Assert.Equal(
            [new(both.Id, "ann", false), new(both.Id, "bob", true)],
            (await Store.Serving.RatingsAsync(Home, metric.Id, Ct)).OrderBy(rating => rating.Author, StringComparer.Ordinal));
    }
}
