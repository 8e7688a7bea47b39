using System.Text.Json;
using Flywheel.Core.Judging;
using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Labeling;
using Flywheel.Core.Metrics;
using Flywheel.Core.Proposals;

namespace Flywheel.Storage.Tests;

public abstract class AlignmentConformance(ITestDatabases databases) : StoreConformance(databases)
{
    static readonly AlignmentPlan Plan = new(400, null, null, new Dictionary<int, IReadOnlyList<ProposedGuideline>>());
    static readonly AlignmentEvidence Evidence = new(
        1, 100, 50, 50, 50, [], "guidelines", true, PairedTest.Of(50, 9, 1), null, null, [], 1.5, []);

    static NewProposal Change(Metric metric, MetricChange change, params Guid[] guidelines) => new(
        ProposalKind.Metric, ProposalAction.Change, metric.Name, "It gets better.",
        ProposalJson.Write(new MetricBase(metric.VersionId.Value, guidelines)), ProposalJson.Write(change), "{}", "ann");

    static ValidatorSpec Validator(int examples) => new("judge", JsonSerializer.SerializeToElement(new { examples }));

    [Fact]
    public async Task Cases_are_blind_labels_that_count_with_how_they_came_to_be_labelled()
    {
        var metric = await MetricAsync();
        var asked = await SpanAsync();
        var served = await SpanAsync();
        var suggested = await SpanAsync();
        var unanswered = await SpanAsync(NewSpan() with { Output = null });
        await Store.Serving.ServeAsync(Home, [new(served.Id, metric.Id, ServedMode.Blind, "v1", Outcome.Fail)], Noon, Ct);
        await Store.Labels.AddAsync(Label(asked, metric, true, at: Noon), Ct);
        await Store.Labels.AddAsync(Label(served, metric, false, at: Noon.AddMinutes(1)) with { Propensity = 0.25 }, Ct);
        await Store.Labels.AddAsync(Label(suggested, metric, false, LabelMode.Accepted), Ct);
        await Store.Labels.AddAsync(Label(unanswered, metric, false), Ct);

        var cases = await Store.Alignments.CasesAsync(Home, metric.Id, null, 10, Ct);

        Assert.Equal([served.Id, asked.Id], cases.Select(each => each.Span));
        Assert.Equal([(false, 0.25, true), (true, 0.0, false)], cases.Select(each => (each.Passed, each.Chance, each.Served)));
        Assert.Equal((asked.Key.Trace, "intent", "critique", Noon), (cases[1].Trace, cases[1].Node, cases[1].Critique, cases[1].At));
        Assert.Equal([asked.Id], (await Store.Alignments.CasesAsync(Home, metric.Id, Noon, 10, Ct)).Select(each => each.Span));
        Assert.Empty(await Store.Alignments.CasesAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, metric.Id, null, 10, Ct));
    }

    [Fact]
    public async Task A_search_is_one_a_metric_is_run_by_one_worker_and_is_taken_over_when_that_one_is_silent()
    {
        var metric = await MetricAsync();
        var run = await Store.Alignments.BeginAsync(metric, Plan, Noon, 500, "ann", Noon, Ct);
        var again = await Store.Alignments.BeginAsync(metric, Plan, Noon.AddHours(1), 900, "bob", Noon, Ct);

        var claims = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(i => Store.Alignments.ClaimAsync(null, $"w{i}", Noon, Noon.AddMinutes(5), Ct)));
        var held = Assert.Single(claims, claim => claim is not null)!;
        var rule = new ProposedGuideline("A range is a sum.", [Guid.CreateVersion7()]);
        var kept = await Store.Alignments.ReportAsync(
            held, held.Worker!, Plan with { Rules = new Dictionary<int, IReadOnlyList<ProposedGuideline>> { [3] = [rule] } }, 20, 510, 0.5,
            Noon.AddMinutes(6), Ct);
        var early = await Store.Alignments.ClaimAsync(run.Id, "other", Noon.AddMinutes(5), Noon.AddMinutes(20), Ct);
        var late = await Store.Alignments.ClaimAsync(run.Id, "other", Noon.AddMinutes(6), Noon.AddMinutes(20), Ct);
        var stale = await Store.Alignments.ReportAsync(held, held.Worker!, Plan, 30, 510, 9, Noon.AddMinutes(30), Ct);

        Assert.Equal((run.Id, "ann", 500), (again.Id, again.Author, again.Total));
        Assert.True(kept);
        Assert.Null(early);
        Assert.Equal((20, 510, 0.5, "other"), (late!.Done, late.Total, late.CostUsd, late.Worker));
        Assert.Equal("A range is a sum.", late.Plan.Rules[3][0].Text);
        Assert.Equal(rule.Labels, late.Plan.Rules[3][0].Labels);
        Assert.False(stale);
        Assert.Null(await Store.Alignments.EndAsync(held, held.Worker!, "late", Evidence, null, Noon, Ct));
        Assert.Equal(20, (await Store.Alignments.FindAsync(Home, run.Id, Ct))!.Done);
    }

    [Fact]
    public async Task A_search_that_waits_is_not_taken_before_its_time_unless_somebody_asks_again()
    {
        var metric = await MetricAsync();
        var run = await Store.Alignments.BeginAsync(metric, Plan, Noon, 500, "ann", Noon, Ct);
        await Store.Alignments.ClaimAsync(run.Id, "w", Noon, Noon.AddMinutes(5), Ct);
        await Store.Alignments.PauseAsync(run, "w", "the budget is used up", isFault: false, Noon.AddHours(12), Ct);

        var before = await Store.Alignments.ClaimAsync(null, "w", Noon.AddHours(1), Noon.AddHours(2), Ct);
        var waiting = await Store.Alignments.FindAsync(Home, run.Id, Ct);
        await Store.Alignments.BeginAsync(metric, Plan, Noon, 500, "bob", Noon.AddHours(1), Ct);
        var after = await Store.Alignments.ClaimAsync(null, "w", Noon.AddHours(1), Noon.AddHours(2), Ct);

        Assert.Null(before);
        Assert.Equal(("the budget is used up", null, 0), (waiting!.Detail, waiting.Worker, waiting.Attempts));
        Assert.Equal(run.Id, after!.Id);
        await Store.Alignments.PauseAsync(run, "w", "a fault", isFault: true, Noon, Ct);
        Assert.Equal(1, (await Store.Alignments.FindAsync(Home, run.Id, Ct))!.Attempts);
    }

    [Fact]
    public async Task A_search_ends_together_with_its_proposal_and_another_can_begin()
    {
        var metric = await MetricAsync();
        var run = await Store.Alignments.BeginAsync(metric, Plan, Noon, 500, "ann", Noon, Ct);
        await Store.Alignments.ClaimAsync(run.Id, "w", Noon, Noon.AddMinutes(5), Ct);

        var ended = await Store.Alignments.EndAsync(
            run, "w", "proposed", Evidence, Change(metric, new(Validator(4), [])), Noon.AddMinutes(1), Ct);
        var next = await Store.Alignments.BeginAsync(metric, Plan, Noon, 500, "ann", Noon, Ct);

        var proposal = Assert.Single(await Store.Proposals.ListAsync(Home, new(Subject: metric.Name, State: ProposalState.Proposed), Ct));
        Assert.Equal((AlignmentState.Done, proposal.Id, Noon.AddMinutes(1)), (ended!.State, ended.Proposal, ended.EndedAt));
        Assert.Equal(9, ProposalJson.Read<AlignmentEvidence>(ended.Result!).Test!.NewOnly);
        Assert.NotEqual(run.Id, next.Id);
        Assert.Equal([next.Id, run.Id], (await Store.Alignments.ListAsync(Home, metric.Id, 10, Ct)).Select(each => each.Id));
        Assert.Equal(
            ["alignment.begin", "alignment.end", "proposal.add", "alignment.begin"],
            (await Store.Audit.ListAsync(Home, 4, Ct)).Select(entry => entry.Action));
        Assert.Empty(await Store.Proposals.ListAsync((await Store.Projects.EnsureAsync("other", Noon, Ct)).Id, new(), Ct));
    }

    [Fact]
    public async Task An_approved_change_makes_the_new_version_and_its_guidelines_at_once_and_is_decided_once()
    {
        var metric = await MetricAsync(NewMetric() with { Sampling = 0.5, LabelsPerItem = 2 });
        var revision = Store.Metrics.Revision;
        var label = Guid.CreateVersion7();
        var proposal = await Store.Proposals.AddAsync(
            Home, Change(metric, new(Validator(4), [new("A range is a sum.", [label])])), Noon, Ct);

        var decided = await Store.Proposals.ApproveAsync(Home, proposal.Id, "bob", "looks right", Noon.AddHours(1), Ct);
        var twice = await Store.Proposals.RejectAsync(Home, proposal.Id, "eve", null, Noon.AddHours(2), Ct);

        var now = (await Store.Metrics.FindAsync(Home, metric.Name, Ct))!;
        var guideline = Assert.Single(await Store.Guidelines.ListAsync(Home, metric.Id, GuidelineState.Approved, Ct));
        Assert.Equal((ProposalDecision.Done, ProposalDecision.Already), (decided, twice));
        Assert.Equal((2, "judge", 4), (now.Number, now.Validator.Kind, now.Validator.Settings.GetProperty("examples").GetInt32()));
        Assert.Equal((0.5, 2, metric.Criterion, "bob"), (now.Sampling, now.LabelsPerItem, now.Criterion, now.Author));
        Assert.Equal(("A range is a sum.", "ann", "bob", Noon.AddHours(1)),
            (guideline.Text, guideline.Author, guideline.ApprovedBy, guideline.ApprovedAt));
        Assert.Equal([label], guideline.Labels);
        Assert.True(Store.Metrics.Revision > revision);
        var kept = (await Store.Proposals.FindAsync(Home, proposal.Id, Ct))!;
        Assert.Equal((ProposalState.Approved, "bob", "looks right", Noon.AddHours(1)),
            (kept.State, kept.DecidedBy, kept.Reason, kept.DecidedAt));
        Assert.Equal(
            ["proposal.approve", "guideline.approve", "metric.change", "proposal.add"],
            (await Store.Audit.ListAsync(Home, 4, Ct)).Select(entry => entry.Action));
        Assert.Null(await Store.Audit.VerifyAsync(Home, Ct));
    }

    [Fact]
    public async Task A_change_whose_metric_or_guidelines_have_changed_is_stale_and_changes_nothing()
    {
        var metric = await MetricAsync();
        var rules = await Store.Proposals.AddAsync(Home, Change(metric, new(null, [new("One.", [])])), Noon, Ct);
        var settings = await Store.Proposals.AddAsync(Home, Change(metric, new(Validator(4), [])), Noon, Ct);
        var other = (await Store.Projects.EnsureAsync("other", Noon, Ct)).Id;

        var first = await Store.Proposals.ApproveAsync(Home, rules.Id, "bob", null, Noon, Ct);
        var second = await Store.Proposals.ApproveAsync(Home, settings.Id, "bob", null, Noon, Ct);
        var third = await Store.Proposals.AddAsync(
            Home, Change(metric, new(Validator(2), []),
                [.. (await Store.Guidelines.ListAsync(Home, metric.Id, null, Ct)).Select(each => each.Id)]), Noon, Ct);
        await MetricAsync(NewMetric() with { Criterion = "Is it brief?" });

        Assert.Equal((ProposalDecision.Done, ProposalDecision.Stale), (first, second));
        Assert.Equal(ProposalDecision.Stale, await Store.Proposals.ApproveAsync(Home, third.Id, "bob", null, Noon, Ct));
        Assert.Equal(2, (await Store.Metrics.FindAsync(Home, metric.Name, Ct))!.Number);
        Assert.Equal(ProposalDecision.Done, await Store.Proposals.RejectAsync(Home, settings.Id, "bob", null, Noon, Ct));
        Assert.Equal(ProposalDecision.Unknown, await Store.Proposals.ApproveAsync(other, third.Id, "eve", null, Noon, Ct));
        Assert.Equal([third.Id], (await Store.Proposals.ListAsync(Home, new(State: ProposalState.Proposed), Ct)).Select(each => each.Id));
    }

    [Fact]
    public async Task What_nobody_can_carry_out_yet_is_kept_and_not_approved()
    {
        var proposal = await Store.Proposals.AddAsync(
            Home, new(ProposalKind.Demonstration, ProposalAction.Retire, Guid.CreateVersion7().ToString(), "It misleads.", "{}", "{}", "{}",
                "agent"), Noon, Ct);

        Assert.Equal(ProposalDecision.Unsupported, await Store.Proposals.ApproveAsync(Home, proposal.Id, "bob", null, Noon, Ct));
        Assert.Equal([proposal], await Store.Proposals.ListAsync(Home, new(ProposalKind.Demonstration), Ct));
        Assert.Empty(await Store.Proposals.ListAsync(Home, new(ProposalKind.Prompt), Ct));
    }

    [Fact]
    public async Task Rules_from_an_erased_users_labels_go_from_proposals_and_searches_and_others_stay()
    {
        var metric = await MetricAsync();
        var (eves, bobs) = (await SpanAsync(NewSpan() with { EndUser = "eve" }), await SpanAsync(NewSpan() with { EndUser = "bob" }));
        var (eve, bob) = (Label(eves, metric, true), Label(bobs, metric, true));
        await Store.Labels.AddAsync(eve, Ct);
        await Store.Labels.AddAsync(bob, Ct);
        await Store.Proposals.AddAsync(Home, Change(metric, new(null, [new("As Eve wrote.", [eve.Id])])), Noon, Ct);
        var stays = await Store.Proposals.AddAsync(Home, Change(metric, new(null, [new("As Bob wrote.", [bob.Id])])), Noon, Ct);
        await Store.Alignments.BeginAsync(
            metric, Plan with { Rules = new Dictionary<int, IReadOnlyList<ProposedGuideline>> { [0] = [new("As Eve wrote.", [eve.Id])] } },
            Noon, 1, "ann", Noon, Ct);

        await Store.Erasures.EraseAsync(Home, "eve", "ann", Noon, Ct);

        Assert.Equal([stays.Id], (await Store.Proposals.ListAsync(Home, new(), Ct)).Select(each => each.Id));
        Assert.Empty(await Store.Alignments.ListAsync(Home, metric.Id, 10, Ct));
    }
}
