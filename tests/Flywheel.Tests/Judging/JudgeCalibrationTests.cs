using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;

namespace Flywheel.Tests.Judging;

public sealed class JudgeCalibrationTests
{
    static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    static readonly CalibrationPlan One = new(["small"], 0.1, 0.1, Second: false);
    static readonly CalibrationPlan Two = new(["small", "big"], 0.1, 0.2, Second: false);

    static JudgeWord Word(string model, double? confidence, Outcome outcome = Outcome.Pass, double? second = null) =>
        new(model, outcome, confidence, second);

    /// <summary>A label of a verdict that passed, by a person who agrees or not.</summary>
    static LabelledTrail Label(int minute, bool agrees, double chance, params JudgeWord[] words) =>
        new(new("j", 0.3, words), agrees == (words[^1].Outcome == Outcome.Pass), chance, Start.AddMinutes(minute));

    /// <summary>Right where it is sure, and half of the time where it is not.</summary>
    static LabelledTrail[] Honest(int count, double chance = 0.1) =>
        [.. Enumerable.Range(0, count).Select(i => Label(i, i % 2 == 0 || i % 4 == 1, chance, Word("small", i % 2 == 0 ? 0.95 : 0.6)))];

    [Fact]
    public void Below_thirty_labels_there_is_no_probability_and_above_it_says_how_often_people_agree()
    {
        var few = JudgeCalibration.Fit(Honest(JudgeCalibration.LeastLabels - 1), One)[0];
        var many = JudgeCalibration.Fit(Honest(200), One)[0];

        Assert.Null(few.Probability(Word("small", 0.95), 0.3, second: false));
        Assert.Null(few.Scores);
        Assert.InRange(many.Probability(Word("small", 0.95), 0.3, second: false)!.Value, 0.95, 1);
        Assert.InRange(many.Probability(Word("small", 0.6), 0.3, second: false)!.Value, 0.4, 0.6);
        Assert.True(many.Scores!.LogLoss < many.Raw!.LogLoss);
        var (low, high) = many.Interval(0.6)!.Value;
        Assert.InRange(low, 0.4, 0.5);
        Assert.InRange(high, 0.5, 0.6);
    }

    [Fact]
    public void The_line_parts_verdicts_that_stand_from_those_that_do_not_and_there_is_none_without_labels()
    {
        var none = JudgeCalibration.Fit([], One)[0];
        var found = JudgeCalibration.Fit(Honest(200), One)[0];
        var hopeless = JudgeCalibration.Fit(
            [.. Enumerable.Range(0, 100).Select(i => Label(i, i % 2 == 0, 0.1, Word("small", 0.9)))], One)[0];

        Assert.Equal((null, false), (none.IsAbove(Word("small", 1), 0, false), none.IsHopeless));
        Assert.True(none.LabelsNeeded > 20);
        Assert.Equal((true, false, false),
            (found.IsAbove(Word("small", 0.95), 0, false), found.IsAbove(Word("small", 0.6), 0, false),
                found.IsAbove(Word("small", null), 0, false)));
        Assert.Equal(0.5, found.Coverage, 9);
        Assert.Equal((true, false), (hopeless.IsHopeless, hopeless.IsAbove(Word("small", 1), 0, false)));
    }

    [Fact]
    public void A_later_judge_is_calibrated_on_what_the_earlier_ones_pass_on_and_not_on_what_nobody_asked_it()
    {
        // Before there was a line nobody asked `big`; afterwards it is asked about the doubtful half, and is right there.
        LabelledTrail[] before = Honest(200);
        LabelledTrail[] after = [.. Enumerable.Range(200, 200).Select(i => i % 2 == 0
            ? Label(i, true, 0.1, Word("small", 0.95))
            : Label(i, i % 50 != 1, 0.1, Word("small", 0.6), Word("big", 0.9)))];
        // Where it was asked although the first judge was sure, nothing is learned of it.
        LabelledTrail stray = Label(500, false, 0.1, Word("small", 0.95), Word("big", 0.9));
        LabelledTrail skipped = Label(501, false, 0.1, Word("small", 0.6), new("big", Outcome.Skipped, null));

        var judges = JudgeCalibration.Fit([.. after, .. before, stray, skipped], Two);

        Assert.Equal(100, judges[1].Labels);
        Assert.Equal(4, judges[1].Errors);
        Assert.NotNull(judges[0].Threshold);
        Assert.NotNull(judges[1].Threshold);
        // A doubtful verdict that `big` was not asked about leaves a gap: what came before it does not count.
        Assert.Equal(0, JudgeCalibration.Fit([.. after, .. before, Label(600, true, 0.1, Word("small", 0.6))], Two)[1].Labels);
        // An answer of another model is not the judge's.
        Assert.Equal(0, JudgeCalibration.Fit([.. before, .. after], Two with { Models = ["small", "bigger"] })[1].Labels);
    }

    [Fact]
    public void Labels_given_unasked_step_back_once_enough_were_drawn()
    {
        LabelledTrail[] unasked = [.. Honest(60).Select(label => label with { Chance = 0 })];

        var alone = JudgeCalibration.Fit([.. unasked, .. Honest(19)], One)[0];
        var drawn = JudgeCalibration.Fit([.. unasked, .. Honest(20)], One)[0];

        Assert.Equal((79, false), (alone.Labels, alone.Drawn));
        Assert.Equal((20, true), (drawn.Labels, drawn.Drawn));
    }

    [Fact]
    public void A_second_judge_tells_errors_that_the_first_does_not_know_of()
    {
        var random = new Random(5);
        var plan = One with { Second = true };
        LabelledTrail[] Draw(int count) => [.. Enumerable.Range(0, count).Select(i =>
        {
            var right = random.NextDouble() < 0.8;
            var seconds = random.NextDouble() < (right ? 0.95 : 0.1);
            return Label(i, right, 0.1, Word("small", 0.9, second: seconds ? 0.9 : -0.9));
        })];

        var with = JudgeCalibration.Fit(Draw(600), plan)[0];
        var without = JudgeCalibration.Fit(Draw(600), One)[0];

        Assert.Contains("second", with.Fit!.Inputs.Select(input => input.Name));
        Assert.True(with.Scores!.Auroc > 0.8 && without.Scores!.Auroc < 0.6);
        Assert.Equal((true, false),
            (with.IsAbove(Word("small", 0.9, second: 0.9), 0.3, true), with.IsAbove(Word("small", 0.9, second: -0.9), 0.3, true)));
        Assert.Null(without.Threshold);
    }

    [Fact]
    public void A_kept_fit_says_what_the_fit_said()
    {
        var random = new Random(6);
        CalibrationRow[] rows = [.. Enumerable.Range(0, 80).Select(_ => new CalibrationRow(
            random.NextDouble(), random.Next(2) == 0, random.Next(3) > 0, [random.NextDouble(), random.NextDouble()], 1 + random.Next(3)))];
        var fit = RidgePlatt.Fit(rows, verdict: true, features: true);

        var kept = System.Text.Json.JsonSerializer.Deserialize<KeptFit>(
            System.Text.Json.JsonSerializer.Serialize(KeptFit.Of(fit, second: true)))!;

        Assert.Equal(["confidence", "verdict", "length", "second"], kept.Inputs.Select(input => input.Name));
        Assert.All(rows, row => Assert.Equal(fit.Predict(row), kept.Predict(row), 12));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("""{"length":1,"words":[]}""")]
    [InlineData("""{"length":1,"words":[{"outcome":"maybe"}]}""")]
    [InlineData("""{"length":1,"words":[{"outcome":"pass","confidence":7}]}""")]
    public void A_trail_that_somebody_else_wrote_wrongly_is_none(string? json) => Assert.Null(JudgeTrail.Read("j", json));
}
