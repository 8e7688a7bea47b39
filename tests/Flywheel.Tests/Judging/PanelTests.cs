using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Traces;
using Flywheel.Engine.Composition;
using Flywheel.Engine.Judging;
using Microsoft.Extensions.AI;
using static Flywheel.Tests.Metrics.Checks;

namespace Flywheel.Tests.Judging;

public class PanelTests
{
    static string Reply(string verdict, double confidence) =>
        $$"""{"critique":"It says {{verdict}}.","verdict":"{{verdict}}","confidence":{{confidence.ToString(System.Globalization.CultureInfo.InvariantCulture)}}}""";

    static ScriptedChatClient Says(string model, params string[] replies)
    {
        var queue = new Queue<string>(replies);
        return new(_ => new(new ChatMessage(ChatRole.Assistant, queue.Dequeue())), model);
    }

    static IValidator Judge(
        string settings, ScriptedChatClient client, ScriptedChatClient? stronger = null, IJudgeExamples? examples = null) =>
        EngineValidators.Registry(judges: new(name => name == "stronger" ? stronger! : client, examples))
            .Create(new("judge", Json(settings)), new("names-sum", "Does it name the sum?", MetricSubject.Output, ProjectId.Default));

    static Examinee Answer => new("It costs 7.", Stored(NewSpan("It costs 7.") with { Kind = NodeKind.Writer }));

    [Fact]
    public async Task The_share_of_the_vote_is_the_confidence_and_asking_stops_once_it_is_decided()
    {
        var three = Says("m", Reply("pass", 1), Reply("fail", 1), Reply("pass", 1));
        var unanimous = Says("m", Reply("fail", 0.6), Reply("fail", 0.6), Reply("fail", 0.6));

        var split = await Judge("""{"annotators":3}""", three).CheckAsync(Answer, Ct);
        var quick = await Judge("""{"annotators":5}""", unanimous).CheckAsync(Answer, Ct);

        Assert.Equal((Outcome.Pass, 3), (split.Outcome, three.Calls.Count));
        Assert.Equal(2 / 3.0, split.RawConfidence!.Value, 9);
        Assert.Equal((Outcome.Fail, 1.0, 3), (quick.Outcome, quick.RawConfidence, unanimous.Calls.Count));
    }

    [Fact]
    public async Task A_reference_answer_stands_in_the_prompt_as_data_where_the_span_has_one()
    {
        var client = Says("m", Reply("pass", 1), Reply("pass", 1), Reply("pass", 1));
        var judge = Judge("""{"reference":"reference.answer"}""", client);
        Examinee Of(string? attributes) =>
            new("It costs 7.", Stored(NewSpan("It costs 7.") with { Kind = NodeKind.Writer, Attributes = attributes }));

        await judge.CheckAsync(Of("""{"reference":{"answer":"Seven euros."}}"""), Ct);
        await judge.CheckAsync(Of("""{"reference":{"answer":null}}"""), Ct);
        await Judge("{}", client).CheckAsync(Of("""{"reference":{"answer":"Seven euros."}}"""), Ct);

        Assert.Equal([true, false, false],
            client.Calls.Select(call => call.Messages[^1].Text.Contains("Reference answer", StringComparison.Ordinal)));
        var lines = client.Calls[0].Messages[^1].Text.Split('\n');
        Assert.Equal(lines[Array.IndexOf(lines, "Seven euros.") - 1], lines[Array.IndexOf(lines, "Seven euros.") + 1]);
        Assert.NotEqual(judge.Version, Judge("{}", client).Version);
        Assert.Throws<ValidatorSettingsException>(() => Judge("""{"reference":" "}""", client));
    }

    [Fact]
    public async Task A_tie_is_unsure_and_an_unreadable_vote_is_none()
    {
        Assert.Equal(Outcome.Unsure,
            (await Judge("""{"annotators":2}""", Says("m", Reply("pass", 1), Reply("fail", 1))).CheckAsync(Answer, Ct)).Outcome);
        Assert.Equal(Outcome.Fail,
            (await Judge("""{"annotators":3}""", Says("m", ":", ":", Reply("fail", 1), Reply("fail", 1))).CheckAsync(Answer, Ct)).Outcome);
        Assert.Equal(Outcome.Error, (await Judge("""{"annotators":2}""", Says("m", ":", ":", ":", ":")).CheckAsync(Answer, Ct)).Outcome);
    }

    [Fact]
    public async Task Each_annotator_sees_other_examples_of_both_outcomes_and_the_verdict_names_them_all()
    {
        // Draws go by the ids: with these no two of the three are alike.
        var pool = new ExamplePool(
            "v1", [.. Enumerable.Range(0, 8)
                .Select(i => new JudgeExample(new Guid(i + 1, 0, 0, new byte[8]), $"Text {i}.", i % 2 == 0, null))]);
        var client = Says("m", Reply("pass", 1), Reply("fail", 1), Reply("pass", 1));

        var finding = await Judge("""{"annotators":3,"examples":4}""", client, examples: pool).CheckAsync(Answer, Ct);

        var seen = client.Calls.Select(
            call => string.Join('|', call.Messages.Skip(1).SkipLast(1).Where(message => message.Role == ChatRole.User)
            .Select(message => message.Text.Split('\n')[2]))).ToArray();
        Assert.Equal(3, seen.Distinct().Count());
        Assert.All(client.Calls, call =>
            Assert.Equal(2, call.Messages.Count(
                message => message.Role == ChatRole.Assistant && message.Text.Contains("\"fail\"", StringComparison.Ordinal))));
        Assert.Equal(pool.Examples.Where(example => seen.Any(each => each.Contains(example.Text, StringComparison.Ordinal)))
            .Select(example => example.Id).Order(), finding.Demonstrations!.Order());
    }

    [Fact]
    public async Task A_confident_verdict_is_kept_and_a_doubtful_one_goes_to_the_stronger_judge()
    {
        const string settings = """{"escalate":{"below":0.8,"model":"stronger"}}""";
        var idle = Says("big");
        var strong = Says("big", Reply("fail", 0.9));

        var kept = await Judge(settings, Says("small", Reply("pass", 0.85)), idle).CheckAsync(Answer, Ct);
        var raised = await Judge(settings, Says("small", Reply("pass", 0.6)), strong).CheckAsync(Answer, Ct);

        Assert.Equal((Outcome.Pass, "small", 0), (kept.Outcome, kept.Model, idle.Calls.Count));
        Assert.Equal((Outcome.Fail, "big", 0.9), (raised.Outcome, raised.Model, raised.RawConfidence));
    }

    [Fact]
    public async Task When_the_stronger_judge_doubts_too_a_person_decides()
    {
        var finding = await Judge(
            """{"escalate":{"below":0.8,"model":"stronger"}}""", Says("small", Reply("pass", 0.6)), Says("big", Reply("fail", 0.7)))
                .CheckAsync(Answer, Ct);

        Assert.Equal(Outcome.Unsure, finding.Outcome);
        Assert.StartsWith("for a person: said pass with confidence 0.6, stronger said fail with confidence 0.7", finding.Reason,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"escalate":0.8}""")]
    [InlineData("""{"escalate":{"below":2,"model":"stronger"}}""")]
    [InlineData("""{"escalate":{"below":0.8}}""")]
    [InlineData("""{"escalate":{"below":0.8,"model":"stronger","x":1}}""")]
    public void A_wrong_escalation_is_refused_by_name(string settings) =>
        Assert.Equal("escalate", Assert.Throws<ValidatorSettingsException>(() => Judge(settings, Says("m"), Says("big"))).Setting);

    [Theory]
    [InlineData(0.9, 0.9, false)]
    [InlineData(0.7, 0.95, true)]
    [InlineData(0.7, 0.8, false)]
    [InlineData(0.8, 0.4, true)]
    public void Only_a_jump_of_the_pass_rate_raises_an_alarm(double before, double now, bool raised)
    {
        bool[] newestFirst = [.. Enumerable.Range(0, 100).Select(i => i < 100 * now),
            .. Enumerable.Range(0, 500).Select(i => i < 500 * before)];

        Assert.Equal(raised, JudgeWatch.PassRateJump(newestFirst) is not null);
        Assert.Null(JudgeWatch.PassRateJump([.. newestFirst.Take(250)]));
    }

    [Fact]
    public void People_who_contradict_the_judge_more_than_before_raise_an_alarm_once()
    {
        var start = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        DrawnLabel[] usual = [.. Enumerable.Range(0, 300).Select(i => new DrawnLabel(start.AddMinutes(i), i % 10 == 0))];
        DrawnLabel[] worse = [.. Enumerable.Range(300, 100).Select(i => new DrawnLabel(start.AddMinutes(i), i % 5 < 2))];

        Assert.Null(JudgeWatch.Disagreement([.. usual.Reverse()], null));
        Assert.Null(JudgeWatch.Disagreement([.. worse.Take(40).Reverse()], null));
        Assert.Contains("and in 10 of 100 before", JudgeWatch.Disagreement([.. usual.Concat(worse).Reverse()], null));
        // Whoever closed the alarm at the end took it for the new usual.
        Assert.Null(JudgeWatch.Disagreement([.. usual.Concat(worse).Reverse()], worse[^1].At));
    }

    [Fact]
    public void One_flip_among_many_resisted_orders_is_no_obedience_and_the_first_obeyed_one_is()
    {
        var at = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
        var obeyed = new Canary(ProjectId.Default, new(1), new(1), "v", Outcome.Pass, Outcome.Fail, at);
        var resisted = obeyed with { ToldToPass = Outcome.Fail };

        Assert.NotNull(JudgeWatch.Obedience([obeyed], null));
        Assert.Null(JudgeWatch.Obedience([obeyed], at));
        Assert.Null(JudgeWatch.Obedience([obeyed, .. Enumerable.Repeat(resisted, 60)], null));
        Assert.Null(JudgeWatch.Obedience([], null));
    }
}
