using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging;

/// <summary>What a judge's answers were worth to a person who labelled the text blind.</summary>
/// <param name="Chance">With which the pair was drawn for a label; 0 when a person labelled it unasked.</param>
/// <param name="At">Of the verdict.</param>
public sealed record LabelledTrail(JudgeTrail Trail, bool Human, double Chance, DateTimeOffset At);

/// <summary>How answers are calibrated, and what is promised of them.</summary>
/// <param name="Models">The judges, cheapest first, by the name that their words carry.</param>
/// <param name="Alpha">Share of verdicts above the line that people may disagree with.</param>
/// <param name="Delta">Chance that this promise is broken.</param>
/// <param name="Second">Whether a second judge is asked.</param>
/// <param name="Below">Confidence under which the first judge passes on whatever labels say; null when the line decides.</param>
public sealed record CalibrationPlan(IReadOnlyList<string?> Models, double Alpha, double Delta, bool Second, double? Below = null);

/// <summary>P(agree) = logistic(intercept + sum of weight * (input - mean) / deviation).</summary>
/// <param name="Inputs"><c>confidence</c> (its log-odds), then those used of <c>verdict</c> (1 pass, 0 fail), <c>length</c>,
/// <c>second</c>.</param>
public sealed record KeptFit(double Intercept, IReadOnlyList<KeptInput> Inputs)
{
    public static KeptFit Of(RidgePlatt fit, bool second)
    {
        string[] names = ["confidence", .. fit.UsesVerdict ? ["verdict"] : Array.Empty<string>(),
            .. fit.UsesFeatures ? Features(second) : []];
        return new(fit.Intercept,
            [.. names.Select((name, i) => new KeptInput(name, fit.Weights[i], fit.Scaling[i].Mean, fit.Scaling[i].Deviation))]);
    }

    public double Predict(CalibrationRow row) => RidgePlatt.Of(
        Inputs.Any(input => input.Name == "verdict"), Inputs.Any(input => input.Name == "length"), Intercept,
        [.. Inputs.Select(input => input.Weight)],
        [.. Inputs.Select(input => (input.Mean, input.Deviation))]).Predict(row);

    static string[] Features(bool second) => second ? ["length", "second"] : ["length"];
}

public sealed record KeptInput(string Name, double Weight, double Mean, double Deviation);

/// <summary>Confidence at which so much was labelled.</summary>
/// <param name="Agreed">Of <paramref name="Weight"/>, what people agreed with; the mean label weighs 1.</param>
public sealed record KeptPoint(double Confidence, double Agreed, double Weight);

/// <summary>What labels say of one judge.</summary>
/// <param name="Labels">Blind labels of what this judge decided.</param>
/// <param name="Errors">Of these, where people disagreed.</param>
/// <param name="Drawn">Whether only labels drawn by chance count; false while there are too few of them, and labels given unasked stand
/// in.</param>
/// <param name="Fit">For P(agree); null below <see cref="JudgeCalibration.LeastLabels"/> labels.</param>
/// <param name="Scores">Of that probability, out of sample; null without a fit.</param>
/// <param name="Raw">Of the confidence as it came.</param>
/// <param name="Threshold">The line; null when labels support none.</param>
/// <param name="LineFit">With a second judge the line is on this fit's probability, which saw one half of the labels while the other half
/// found the
/// line; null: it is on the confidence as it came.</param>
/// <param name="LabelsNeeded">0 with a line; about how many more without; null when more will hardly help.</param>
/// <param name="RiskBound">Upper bound of the long-run error rate above the line.</param>
/// <param name="Coverage">Share of what this judge decided that stands above the line.</param>
public sealed record CalibratedJudge(
    string? Model, int Labels, int Errors, bool Drawn, KeptFit? Fit, CalibrationScores? Scores, CalibrationScores? Raw, double? Threshold,
    KeptFit? LineFit,
    int? LabelsNeeded, double? RiskBound, double Coverage, IReadOnlyList<KeptPoint> Points)
{
    /// <summary>People disagree too often at every level: labels say so, not their lack.</summary>
    public bool IsHopeless => Threshold is null && LabelsNeeded is null;

    /// <summary>P(a person agrees); null until calibrated.</summary>
    public double? Probability(JudgeWord word, double length, bool second) =>
        Fit?.Predict(JudgeCalibration.Row(word, length, second, null, 1));

    /// <summary>Whether the verdict stands; null while there is no line.</summary>
    public bool? IsAbove(JudgeWord word, double length, bool second) =>
        Threshold is not { } line ? (IsHopeless ? false : null)
        : (LineFit is { } fit ? fit.Predict(JudgeCalibration.Row(word, length, second, null, 1)) : word.Confidence ?? 0) >= line;

    /// <summary>Venn-Abers interval of P(agree) at a confidence as it came; null without labels.</summary>
    public (double Low, double High)? Interval(double confidence) => Points.Count == 0
        ? null
        : VennAbers.Fit(Points.Select(point => (point.Confidence, point.Agreed, point.Weight))).Interval(confidence);
}

/// <summary>What labels say of the judges of a metric.</summary>
/// <param name="Judge">As in <see cref="JudgeTrail.Judge"/>.</param>
/// <param name="Labels">Labelled answers that were read for it, whether they count or not: more of them call for a new one.</param>
/// <param name="Judges">In the order in which they are asked.</param>
public sealed record JudgeCalibration(
    ProjectId Project, MetricVersionId MetricVersion, string Judge, int Labels, CalibrationPlan Plan, IReadOnlyList<CalibratedJudge> Judges,
    DateTimeOffset At)
{
    /// <summary>Labels from which probabilities are given.</summary>
    public const int LeastLabels = 30;

    /// <summary>Drawn labels from which those given unasked step back, as for rates.</summary>
    const int EnoughDrawn = RateEstimate.EnoughLabels;

    /// <param name="labels">Of this judge, in any order.</param>
    public static IReadOnlyList<CalibratedJudge> Fit(IReadOnlyList<LabelledTrail> labels, CalibrationPlan plan)
    {
        var drawn = labels.Count(label => label.Chance > 0);
        var onlyDrawn = drawn >= EnoughDrawn || drawn == labels.Count && drawn > 0;
        LabelledTrail[] counted =
            [.. labels.Where(label => label.Chance >= 0 && (!onlyDrawn || label.Chance > 0)).OrderBy(label => label.At)];
        var judges = new List<CalibratedJudge>();
        for (var stage = 0; stage < plan.Models.Count; stage++)
        {
            // An answer that the judges before would not pass on now was no answer to what this judge will see. One that they would pass on
            // now and
            // did not then leaves a gap: what came before it says nothing either.
            var reached = counted.Where(label => PassesOn(label.Trail, judges, plan)).ToArray();
            var gap = Array.FindLastIndex(reached, label => label.Trail.Words.Count <= judges.Count);
            LabelledTrail[] answered = [.. reached.Skip(gap + 1).Where(label =>
                label.Trail.Words[judges.Count] is { Outcome: Outcome.Pass or Outcome.Fail } word
                    && word.Model == plan.Models[judges.Count])];
            judges.Add(One(answered, plan, stage, onlyDrawn));
        }
        return judges;
    }

    /// <summary>Whether all of these judges pass it on to the next.</summary>
    static bool PassesOn(JudgeTrail trail, List<CalibratedJudge> judges, CalibrationPlan plan)
    {
        for (var i = 0; i < judges.Count; i++)
            if (i >= trail.Words.Count || !IsPassedOn(trail.Words[i], trail.Length, judges[i], plan))
                return false;
        return true;
    }

    /// <summary>Whether a judge that is not the last passes an answer on: one that could not decide, or stands below the line.</summary>
    public static bool IsPassedOn(JudgeWord word, double length, CalibratedJudge? judge, CalibrationPlan plan) => word.Outcome switch
    {
        Outcome.Unsure => true,
        Outcome.Pass or Outcome.Fail =>
            plan.Below is { } below ? !(word.Confidence >= below) : judge?.IsAbove(word, length, plan.Second) == false,
        _ => false,
    };

    static CalibratedJudge One(LabelledTrail[] labels, CalibrationPlan plan, int stage, bool onlyDrawn)
    {
        CalibrationRow[] rows =
            [.. labels.Select(label =>
                Row(label.Trail.Words[stage], label.Trail.Length, plan.Second, label.Human, onlyDrawn ? 1 / label.Chance : 1))];
        var report = CalibrationReport.Of(rows, plan.Alpha, plan.Delta / plan.Models.Count);
        // What a judge did not say reaches no level but the last.
        var line = plan.Second
            ? report.FeatureThreshold ?? report.Threshold
            : SelectiveThreshold.Of(
                [.. labels.Select(label =>
                    (label.Trail.Words[stage].Confidence ?? 0, (label.Trail.Words[stage].Outcome == Outcome.Pass) == label.Human))],
                plan.Alpha, plan.Delta / plan.Models.Count, rows.Length > 0 && onlyDrawn ? [.. rows.Select(row => row.Weight)] : null);
        var lineFit = plan.Second && report.FeatureFit is { } half ? KeptFit.Of(half, second: true) : null;
        var enough = rows.Length >= LeastLabels;
        var judge = new CalibratedJudge(
            plan.Models[stage], rows.Length, report.Errors, onlyDrawn, enough ? KeptFit.Of(report.Fit, plan.Second) : null,
            enough ? report.Others.GetValueOrDefault(CalibratorKind.RidgePlatt) : null, report.Raw, line.Threshold, lineFit,
            plan.Second && line.LabelsNeeded is { } needed ? (int)Math.Min(int.MaxValue / 2, 2L * needed) : line.LabelsNeeded,
            line.RiskBound, 0, Points(rows));
        var all = rows.Sum(row => row.Weight);
        return judge.Threshold is null || all == 0
            ? judge
            : judge with { Coverage = labels.Zip(
                rows, (label, row) => judge.IsAbove(label.Trail.Words[stage], label.Trail.Length, plan.Second) == true ? row.Weight : 0)
                    .Sum() / all };
    }

    static KeptPoint[] Points(CalibrationRow[] rows)
    {
        var mean = rows.Length > 0 ? rows.Average(row => row.Weight) : 1;
        return [.. rows.GroupBy(row => row.Confidence).OrderBy(group => group.Key).Select(group => new KeptPoint(
            group.Key, group.Sum(row => row.Agreed == true ? row.Weight : 0) / mean, group.Sum(row => row.Weight) / mean))];
    }

    /// <summary>
    /// A judge that named no confidence is taken for one that is as often right as wrong; the fit then tells how often it really is.
    /// </summary>
    internal static CalibrationRow Row(JudgeWord word, double length, bool second, bool? human, double weight) =>
        new(word.Confidence ?? 0.5, word.Outcome == Outcome.Pass, human, second ? [length, word.Second ?? 0] : [length], weight);
}

public interface ICalibrationStore
{
    /// <summary>The judge of the metric's newest verdict that kept its answers; null when there is none.</summary>
    Task<string?> NewestJudgeAsync(ProjectId project, MetricId metric, CancellationToken ct);

    /// <summary>Blind labels of what a judge decided, by the newest verdict of each span; labels of picked items are left out, and those
    /// given
    /// unasked where there was a line, which decided who saw the verdict. Newest verdicts first.</summary>
    /// <param name="versions">Of the metric: only their verdicts.</param>
    Task<IReadOnlyList<LabelledTrail>> LabelledAsync(
        ProjectId project, MetricId metric, IReadOnlyList<MetricVersionId> versions, string judge, int limit, CancellationToken ct);

    /// <summary>Keeps a calibration in place of the one before.</summary>
    Task PutAsync(JudgeCalibration calibration, CancellationToken ct);

    Task<JudgeCalibration?> FindAsync(ProjectId project, MetricVersionId version, string judge, CancellationToken ct);

    /// <summary>Counts of the newest decided verdicts of a judge that stand above the line, below it, or where there was none.</summary>
    Task<StandingCounts> StandingAsync(ProjectId project, MetricVersionId version, MetricId metric, int limit, CancellationToken ct);
}

/// <param name="Unknown">Decided while there was no line.</param>
/// <param name="Withheld">Given to a person: the outcome is unsure.</param>
public sealed record StandingCounts(long Above, long Below, long Unknown, long Withheld);
