using System.Globalization;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Judging;
using Microsoft.Extensions.AI;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Judging;

/// <summary>Verdicts above and below the line.</summary>
public sealed class CascadeTests
{
    const string ToAPerson = """{"guarantee":{"alpha":0.1,"delta":0.1,"below":"person"}}""";
    const string ToTheNext = """{"cascade":["cheap","strong"],"guarantee":{"alpha":0.1,"delta":0.1}}""";

    sealed class InForce(CalibrationInForce it) : IJudgeCalibrations
    {
        public Task<CalibrationInForce> CurrentAsync(Metric metric, string judge, CancellationToken ct) => Task.FromResult(it);
    }

    static string Reply(string verdict, double confidence) =>
        $$"""{"critique":"It says {{verdict}}.","verdict":"{{verdict}}","confidence":{{confidence.ToString(CultureInfo.InvariantCulture)}}}""";

    static ScriptedChatClient Says(string verdict, double confidence) =>
        new(_ => new(new ChatMessage(ChatRole.Assistant, Reply(verdict, confidence))) { Usage = new() { InputTokenCount = 1 } });

    static readonly Metric Metric = new(
        new(1), new(1), ProjectId.Default, "names-sum", 1, MetricState.Active, MetricRole.Monitor, "Does it name the sum?",
        MetricSubject.Output, null, null, 1,
        new("judge", Json("{}")), "ann", DateTimeOffset.UnixEpoch);

    /// <summary>A line at 0.65 for each judge, found by labels of verdicts that people agree with from 0.9 on.</summary>
    static CalibrationInForce Lines(bool withdrawn = false, params string?[] models)
    {
        var plan = new CalibrationPlan([.. models], 0.1, 0.1, Second: false);
        LabelledTrail[] labels = [.. Enumerable.Range(0, 400).Select(i => new LabelledTrail(
            new("j", 0, [new(models[0], Outcome.Pass, i % 2 == 0 ? 0.9 : 0.6)]), i % 2 == 0 || i % 4 == 1, 0.1,
            DateTimeOffset.UnixEpoch.AddMinutes(i)))];
        var judge = JudgeCalibration.Fit(labels, plan with { Models = [models[0]] })[0];
        return new(new(ProjectId.Default, new(1), "j", 400, plan, [.. models.Select(model => judge with { Model = model })],
            DateTimeOffset.UnixEpoch), withdrawn);
    }

    static async Task<Finding> JudgeAsync(
        string settings, CalibrationInForce? inForce, Dictionary<string, ScriptedChatClient> models, IJudgeCallStore? ledger = null)
    {
        var services = new JudgeServices(name => models[name ?? "default"], Price: (_, _) => 0.5)
        {
            Calibrations = inForce is null ? null : new InForce(inForce), Ledger = ledger,
        };
        var validator = EngineValidators.Registry(judges: services).Create(
            new("judge", Json(settings)), new("names-sum", "Does it name the sum?", MetricSubject.Output, ProjectId.Default, Metric));
        return await validator.CheckAsync(new("It costs 7.", Stored(NewSpan("It costs 7.") with { Kind = NodeKind.Writer })), Ct);
    }

    [Fact]
    public async Task A_verdict_above_the_line_stands_with_the_probability_that_a_person_agrees()
    {
        var finding = await JudgeAsync(ToAPerson, Lines(models: "scripted-1"), new() { ["default"] = Says("fail", 0.9) });

        Assert.Equal((Outcome.Fail, 0.9, true), (finding.Outcome, finding.RawConfidence, finding.Stands));
        Assert.InRange(finding.Confidence!.Value, 0.95, 1);
        Assert.Equal([new("scripted-1", Outcome.Fail, 0.9)], finding.Trail!.Words);
    }

    [Fact]
    public async Task A_verdict_below_the_line_goes_to_a_person_who_is_told_why_and_not_what_the_judge_said()
    {
        var finding = await JudgeAsync(ToAPerson, Lines(models: "scripted-1"), new() { ["default"] = Says("fail", 0.6) });

        Assert.Equal((Outcome.Unsure, 0.6, false, null), (finding.Outcome, finding.RawConfidence, finding.Stands, finding.Confidence));
        Assert.StartsWith("for a person: the judge gave a confidence of 0.6; people agree with about ", finding.Reason,
            StringComparison.Ordinal);
        Assert.EndsWith("90% is promised above the line", finding.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("fail", finding.Reason!, StringComparison.Ordinal);
        Assert.Equal(Outcome.Fail, Assert.Single(finding.Trail!.Words).Outcome);
    }

    [Theory]
    [InlineData("""{"guarantee":{"below":"nothing"}}""", false, false)]
    [InlineData("{}", false, false)]
    [InlineData(ToAPerson, true, null)]
    public async Task Nothing_is_withheld_that_nobody_asked_for_nor_while_an_alarm_is_open(string settings, bool withdrawn, bool? stands)
    {
        var finding = await JudgeAsync(settings, Lines(withdrawn, "scripted-1"), new() { ["default"] = Says("fail", 0.6) });

        Assert.Equal((Outcome.Fail, stands), (finding.Outcome, finding.Stands));
    }

    [Fact]
    public async Task Without_enough_labels_verdicts_stand_as_they_are()
    {
        var plan = new CalibrationPlan(["scripted-1"], 0.1, 0.1, Second: false);
        var few = new CalibrationInForce(
            new(ProjectId.Default, new(1), "j", 0, plan, JudgeCalibration.Fit([], plan), DateTimeOffset.UnixEpoch), false);

        foreach (var inForce in new[] { few, new(null, false), null })
        {
            var finding = await JudgeAsync(ToAPerson, inForce, new() { ["default"] = Says("fail", 0.6) });
            Assert.Equal((Outcome.Fail, 0.6, null, null), (finding.Outcome, finding.RawConfidence, finding.Confidence, finding.Stands));
        }
    }

    [Fact]
    public async Task A_doubtful_verdict_is_asked_of_the_next_judge_and_then_of_a_person()
    {
        var lines = Lines(models: ["cheap", "strong"]);
        var idle = Says("fail", 0.9);

        var kept = await JudgeAsync(ToTheNext, lines, new() { ["cheap"] = Says("pass", 0.9), ["strong"] = idle });
        var raised = await JudgeAsync(ToTheNext, lines, new() { ["cheap"] = Says("pass", 0.6), ["strong"] = Says("fail", 0.9) });
        var unsure = await JudgeAsync(ToTheNext, lines, new() { ["cheap"] = Says("unsure", 0.9), ["strong"] = Says("fail", 0.9) });
        var person = await JudgeAsync(ToTheNext, lines, new() { ["cheap"] = Says("pass", 0.6), ["strong"] = Says("fail", 0.6) });

        Assert.Equal((Outcome.Pass, true, 0, 0.5), (kept.Outcome, kept.Stands, idle.Calls.Count, kept.CostUsd));
        Assert.Equal((Outcome.Fail, true, 1.0), (raised.Outcome, raised.Stands, raised.CostUsd));
        Assert.Equal([new("cheap", Outcome.Pass, 0.6), new("strong", Outcome.Fail, 0.9)], raised.Trail!.Words);
        Assert.Equal((Outcome.Fail, true), (unsure.Outcome, unsure.Stands));
        Assert.Equal((Outcome.Unsure, false), (person.Outcome, person.Stands));
        Assert.StartsWith("for a person: the judge gave a confidence of 0.6, strong gave a confidence of 0.6; ", person.Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_judge_is_good_enough_the_last_ones_verdict_is_not_withheld()
    {
        var plan = new CalibrationPlan(["cheap", "strong"], 0.1, 0.1, Second: false);
        LabelledTrail[] labels = [.. Enumerable.Range(0, 100).Select(i => new LabelledTrail(
            new("j", 0, [new("cheap", Outcome.Pass, 0.9), new("strong", Outcome.Pass, 0.9)]), i % 2 == 0, 0.1,
            DateTimeOffset.UnixEpoch.AddMinutes(i)))];
        var hopeless = new CalibrationInForce(
            new(ProjectId.Default, new(1), "j", 100, plan, JudgeCalibration.Fit(labels, plan), DateTimeOffset.UnixEpoch), false);

        var finding = await JudgeAsync(ToTheNext, hopeless, new() { ["cheap"] = Says("pass", 0.99), ["strong"] = Says("fail", 0.99) });

        Assert.Equal((Outcome.Fail, false, 2), (finding.Outcome, finding.Stands, finding.Trail!.Words.Count));
    }

    [Theory]
    [InlineData("pass", 0.8, 0.8)]
    [InlineData("fail", 0.8, -0.8)]
    [InlineData("unsure", 0.8, 0.0)]
    public async Task The_second_judges_word_has_the_sign_of_its_agreement_and_its_cost_is_counted(
        string says, double confidence, double expected)
    {
        var finding = await JudgeAsync(
            """{"second":{"model":"cheap"}}""", null, new() { ["default"] = Says("pass", 0.9), ["cheap"] = Says(says, confidence) });

        Assert.Equal((Outcome.Pass, 1.0), (finding.Outcome, finding.CostUsd));
        Assert.Equal(expected, Assert.Single(finding.Trail!.Words).Second);
    }

    [Fact]
    public async Task Every_judge_is_paid_out_of_the_budget_and_one_that_it_refuses_is_done_without()
    {
        const string both = """{"cascade":["cheap","strong"],"guarantee":{},"second":{"model":"other"}}""";
        Dictionary<string, ScriptedChatClient> models =
            new() { ["cheap"] = Says("pass", 0.6), ["strong"] = Says("fail", 0.9), ["other"] = Says("fail", 0.7) };
        var (rich, two, one) = (new Purse(9), new Purse(2), new Purse(1));

        var paid = await JudgeAsync(both, Lines(models: ["cheap", "strong"]), models, rich);
        var withoutStrong = await JudgeAsync(both, Lines(models: ["cheap", "strong"]), models, two);
        var withoutSecond = await JudgeAsync("""{"model":"cheap","second":{"model":"other"}}""", null, models, one);

        Assert.Equal((3, 1.5, Outcome.Fail), (rich.Booked, rich.SpentUsd, paid.Outcome));
        Assert.Equal([-0.7, 0.7], paid.Trail!.Words.Select(word => word.Second!.Value));
        Assert.Equal((2, Outcome.Unsure, Outcome.Skipped), (two.Booked, withoutStrong.Outcome, withoutStrong.Trail!.Words[1].Outcome));
        Assert.EndsWith("a stronger judge could not be asked: budget exhausted: no more calls", withoutStrong.Reason,
            StringComparison.Ordinal);
        Assert.Equal((1, Outcome.Pass, 0.0), (one.Booked, withoutSecond.Outcome, withoutSecond.Trail!.Words[0].Second!.Value));
    }

    /// <summary>Grants so many calls.</summary>
    sealed class Purse(int calls) : IJudgeCallStore
    {
        public int Booked { get; private set; }

        public double SpentUsd { get; private set; }

        public Task<KeptReply?> FindAsync(ProjectId project, string key, CancellationToken ct) => Task.FromResult<KeptReply?>(null);

        public Task<string?> ReserveAsync(CallReservation reservation, CancellationToken ct) =>
            Task.FromResult(Booked < calls && Booked++ >= 0 ? null : "no more calls");

        public Task SettleAsync(CallReservation reservation, double actualUsd, KeptReply? reply, DateTimeOffset at, CancellationToken ct)
        {
            SpentUsd += actualUsd;
            return Task.CompletedTask;
        }

        public Task SetBudgetAsync(
            ProjectId project, MetricId metric, int? callsPerDay, double? usdPerDay, string author, DateTimeOffset at,
            CancellationToken ct) => throw new NotSupportedException();

        public Task<MetricBudget> BudgetAsync(ProjectId project, MetricId metric, DateTimeOffset now, CancellationToken ct) =>
            throw new NotSupportedException();

        public Task<int> TrimAsync(int keep, CancellationToken ct) => throw new NotSupportedException();
    }

    [Fact]
    public async Task Labels_calibrate_whoever_answers_by_the_same_rules_whatever_is_promised()
    {
        async Task<string> JudgeOfAsync(string settings) =>
            (await JudgeAsync(settings, null,
                new() { ["default"] = Says("pass", 0.9), ["cheap"] = Says("pass", 0.9), ["strong"] = Says("pass", 0.9) })).Trail!.Judge;

        var plain = await JudgeOfAsync("{}");

        Assert.Equal(plain, await JudgeOfAsync(ToAPerson));
        Assert.NotEqual(plain, await JudgeOfAsync("""{"rules":["A range counts."]}"""));
        Assert.NotEqual(plain, await JudgeOfAsync("""{"annotators":3}"""));
        Assert.NotEqual(plain, await JudgeOfAsync("""{"second":{"model":"cheap"}}"""));
        Assert.Equal(await JudgeOfAsync("""{"model":"cheap"}"""), await JudgeOfAsync(ToTheNext));
    }

    [Theory]
    [InlineData("""{"guarantee":3}""", "guarantee")]
    [InlineData("""{"guarantee":{"alpha":0}}""", "guarantee")]
    [InlineData("""{"guarantee":{"alpha":"0.1"}}""", "guarantee")]
    [InlineData("""{"guarantee":{"below":"sometimes"}}""", "guarantee")]
    [InlineData("""{"guarantee":{"risk":0.1}}""", "guarantee")]
    [InlineData("""{"guarantee":{"below":"escalate"}}""", "guarantee")]
    [InlineData("""{"cascade":["cheap","strong"]}""", "cascade")]
    [InlineData("""{"cascade":["cheap"],"guarantee":{}}""", "cascade")]
    [InlineData("""{"cascade":["cheap","cheap"],"guarantee":{}}""", "cascade")]
    [InlineData("""{"cascade":["cheap","strong"],"guarantee":{"below":"person"}}""", "cascade")]
    [InlineData("""{"cascade":["cheap","strong"],"model":"cheap","guarantee":{}}""", "cascade")]
    [InlineData("""{"cascade":["cheap","nobody"],"guarantee":{}}""", "cascade")]
    [InlineData("""{"escalate":{"below":0.8,"model":"strong"},"guarantee":{}}""", "escalate")]
    [InlineData("""{"second":"cheap"}""", "second")]
    [InlineData("""{"model":"cheap","second":{"model":"cheap"}}""", "second")]
    public async Task A_setting_that_cannot_work_is_refused_by_name(string settings, string name) =>
        Assert.Equal(name, (await Assert.ThrowsAsync<ValidatorSettingsException>(() => JudgeAsync(
            settings, null, new() { ["default"] = Says("pass", 1), ["cheap"] = Says("pass", 1), ["strong"] = Says("pass", 1) }))).Setting);
}
