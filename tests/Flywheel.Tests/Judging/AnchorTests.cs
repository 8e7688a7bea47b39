using Flywheel.Core.Judging.Aligning;
using Flywheel.Core.Judging.Anchoring;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Engine.Judging.Anchoring;

namespace Flywheel.Tests.Judging;

public sealed class AnchorTests
{
    static readonly DateTimeOffset Noon = new(2026, 3, 14, 12, 0, 0, TimeSpan.Zero);

    static AlignmentCase Case(int i, bool passed, string node = "answer", string? trace = null) =>
        new(Guid.CreateVersion7(), new(i), trace ?? $"t{i}", node, passed, null, 0, false, Noon.AddMinutes(i));

    [Fact]
    public void Anchors_are_balanced_spread_over_nodes_and_the_newest()
    {
        // Nine of ten pass; node b is rare.
        var cases = Enumerable.Range(0, 400).Select(i => Case(i, i % 10 != 0, i % 20 < 2 ? "b" : "a")).ToArray();

        var anchors = AnchorChoice.Of(cases, 60);
        var few = AnchorChoice.Of(cases[..100], 60);

        Assert.Equal((60, 30), (anchors.Count, anchors.Count(each => each.Passed)));
        Assert.Equal((60, 50), (few.Count, few.Count(each => each.Passed)));
        Assert.True(anchors.Count(each => each.Passed && each.Span.Value % 20 < 2) == 15);
        Assert.True(anchors.Where(each => each.Passed && each.Span.Value % 20 >= 2).Min(each => each.Span.Value) > 370);
        Assert.Single(AnchorChoice.Of([Case(1, true, trace: "t"), Case(2, true, trace: "t")], 50));
    }

    [Theory]
    // Each of 30 passes and 30 fails; how many answers change, from what people say to the opposite or to unsure.
    [InlineData(0, 0, false)]
    [InlineData(4, 0, false)]
    [InlineData(9, 0, true)]  // laxer on fails: also worse
    [InlineData(9, 9, true)]  // both ways: the pass rate stays, agreement falls
    public void Answers_that_change_beyond_chance_raise_an_alarm(int failsTurned, int passesTurned, bool alarms)
    {
        Anchor[] cases = [.. Enumerable.Range(0, 60).Select(i => new Anchor(new(i), i < 30))];
        AnchorAnswer[] before = [.. cases.Select(each => new AnchorAnswer(each.Span, each.Passed ? Outcome.Pass : Outcome.Fail, "v1"))];
        AnchorAnswer[] now = [.. before.Select(
            (each, i) => each with { Outcome = i < passesTurned ? Outcome.Unsure : i >= 30
                && i < 30 + failsTurned ? Outcome.Pass : each.Outcome })];

        var comparison = AnchorComparison.Of(cases, before, now);

        Assert.Equal((60, passesTurned, failsTurned, passesTurned + failsTurned, 0),
            (comparison.Cases, comparison.PassToOther, comparison.OtherToPass, comparison.RightToWrong, comparison.WrongToRight));
        Assert.Equal(alarms, comparison.Alarms);
    }

    [Fact]
    public void A_judge_that_only_became_stricter_is_noticed_where_its_agreement_stays()
    {
        // It passed ten bad and all good ones; now it fails ten of each instead: as often right as before.
        Anchor[] cases = [.. Enumerable.Range(0, 60).Select(i => new Anchor(new(i), i < 30))];
        AnchorAnswer[] before = [.. cases.Select((each, i) => new AnchorAnswer(each.Span, i < 40 ? Outcome.Pass : Outcome.Fail, "v1"))];
        AnchorAnswer[] now = [.. cases.Select(
            (each, i) => new AnchorAnswer(each.Span, i is >= 10 and < 30 ? Outcome.Pass : Outcome.Fail, "v1"))];

        var comparison = AnchorComparison.Of(cases, before, now);

        Assert.Equal(1, comparison.RightP);
        Assert.True(comparison.Alarms);
        Assert.False(AnchorComparison.Of(cases, before, [.. now.Select(each => each with { Outcome = Outcome.Error })]).Alarms);
    }

    [Fact]
    public void A_replay_is_compared_with_the_first_of_its_metric_version_or_the_last_before_an_alarm_was_closed()
    {
        static AnchorReplay Replay(long id, long version, ReplayState state = ReplayState.Done) => new(
            id, ProjectId.Default, 1, new(1), new(version), state, 60, 60, null, null, false, 0, null, Noon.AddHours(id),
            Noon.AddHours(id).AddMinutes(5), Noon, null, 0);
        AnchorReplay[] newestFirst =
            [Replay(7, 2), Replay(6, 2), Replay(5, 2, ReplayState.Failed), Replay(4, 2), Replay(3, 2), Replay(2, 1), Replay(1, 1)];

        Assert.Null(AnchorReplays.Baseline(newestFirst, newestFirst[4], null));
        Assert.Equal(3, AnchorReplays.Baseline(newestFirst, newestFirst[0], null)!.Id);
        Assert.Equal(4, AnchorReplays.Baseline(newestFirst, newestFirst[0], Noon.AddHours(5))!.Id);
        Assert.Equal(3, AnchorReplays.Baseline(newestFirst, newestFirst[0], Noon)!.Id);
        Assert.Equal(1, AnchorReplays.Baseline(newestFirst, newestFirst[5], null)!.Id);
    }
}
