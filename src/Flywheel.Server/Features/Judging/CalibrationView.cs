using System.Globalization;
using System.Text.Json.Serialization;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Judging;

namespace Flywheel.Server.Features.Judging;

/// <param name="Threshold">Verdicts of the first judge that are at least as confident agree with people at least 1 - alpha of the time, with confidence
/// 1 - delta (shared by the judges of a cascade).</param>
/// <param name="LabelsNeeded">About how many more; null when more will hardly help, 0 with a threshold.</param>
/// <param name="Withdrawn">Why there is none although the labels would support one: an open alarm; null otherwise.</param>
public sealed record Guarantee(bool Holds, double Alpha, double Delta, double? Threshold, long Labels, int? LabelsNeeded, string? Withdrawn);

public sealed record CalibrationScoresView(double Brier, double LogLoss, double Ece, double Aurc, double? Auroc)
{
    public static CalibrationScoresView? Of(CalibrationScores? it) => it is null ? null : new(it.Brier, it.LogLoss, it.Ece, it.Aurc, it.Auroc);
}

/// <param name="Low">Venn-Abers: the probability of agreement if one more such verdict were an error.</param>
/// <param name="High">The same if it were right.</param>
public sealed record CalibrationPoint(double RawConfidence, double Labels, double Agreed, double Low, double High);

/// <param name="N">Blind labels of what this judge decided.</param>
/// <param name="Errors">Of these, where people disagreed.</param>
/// <param name="Labels"><c>drawn</c>: by chance, weighted by it; <c>unasked</c>: too few were drawn, and labels given by hand stand in.</param>
/// <param name="Calibrator">Null until there are 30 labels.</param>
/// <param name="Scores">Of the calibrated probability, out of sample.</param>
/// <param name="Raw">Of the confidence as it came.</param>
/// <param name="ThresholdOn"><c>raw_confidence</c>, or <c>calibrated</c> where a second judge is asked.</param>
/// <param name="Inputs">P(agree) = logistic(intercept + sum of weight × (input - mean) / deviation).</param>
/// <param name="Points">Null unless intervals were asked for.</param>
public sealed record JudgeCalibrationView(
    string? Model, [property: JsonPropertyName("n")] int N, int Errors, string Labels, string? Calibrator, CalibrationScoresView? Scores, CalibrationScoresView? Raw,
    double? Threshold, string ThresholdOn, int? LabelsNeeded, double? RiskBound, double Coverage, double? Intercept, IReadOnlyList<KeptInput>? Inputs,
    IReadOnlyList<CalibrationPoint>? Points)
{
    public static JudgeCalibrationView Of(CalibratedJudge it, bool second, bool intervals) => new(
        it.Model, it.Labels, it.Errors, it.Drawn ? "drawn" : "unasked", it.Fit is null ? null : "ridge-platt", CalibrationScoresView.Of(it.Scores),
        CalibrationScoresView.Of(it.Raw), it.Threshold, second ? "calibrated" : "raw_confidence", it.LabelsNeeded, it.RiskBound, it.Coverage, it.Fit?.Intercept,
        it.Fit?.Inputs, intervals ? [.. it.Points.Select(point => Point(it, point))] : null);

    static CalibrationPoint Point(CalibratedJudge judge, KeptPoint point)
    {
        var (low, high) = judge.Interval(point.Confidence)!.Value;
        return new(point.Confidence, point.Weight, point.Agreed, low, high);
    }
}

/// <summary>What the judge's confidence is worth, and what is promised.</summary>
/// <param name="At">When it was fitted; null when no verdict could be calibrated yet.</param>
/// <param name="Below">What is done about verdicts below the line: <c>nothing</c>, <c>escalate</c> or <c>person</c>.</param>
/// <param name="Judges">In the order in which they are asked.</param>
/// <param name="Newest">How the newest verdicts of this metric version stand, up to 1,000.</param>
/// <param name="Note">In words: what holds now, and what it takes.</param>
public sealed record CalibrationView(
    DateTimeOffset? At, double Alpha, double Delta, string Below, string? Withdrawn, IReadOnlyList<JudgeCalibrationView> Judges, StandingCounts Newest, string Note)
{
    public const int Newly = 1_000;

    public static CalibrationView Of(JudgeStanding it, StandingCounts newest, bool intervals = false)
    {
        var judges = it.Calibration?.Judges ?? [];
        return new(
            it.Calibration?.At, it.Guarantee.Alpha, it.Guarantee.Delta, Wire.Name(it.Guarantee.Below), WithdrawnBy(it),
            [.. judges.Select(judge => JudgeCalibrationView.Of(judge, it.Calibration!.Plan.Second, intervals))], newest,
            string.Join(' ', Notes(it, judges.Count == 0 ? null : judges[0])));
    }

    /// <summary>Of the first judge, which decides most.</summary>
    public static Guarantee Promise(JudgeStanding it)
    {
        var judge = it.Calibration?.Judges[0];
        var withdrawn = WithdrawnBy(it);
        return new(
            judge?.Threshold is not null && withdrawn is null, it.Guarantee.Alpha, it.Guarantee.Delta, withdrawn is null ? judge?.Threshold : null, judge?.Labels ?? 0,
            judge is null ? SelectiveThreshold.Of([], it.Guarantee.Alpha, it.Guarantee.Delta).LabelsNeeded : judge.LabelsNeeded, withdrawn);
    }

    static string? WithdrawnBy(JudgeStanding it) => it.OpenAlarms.Count > 0 ? $"withdrawn by an open alarm: {it.OpenAlarms[0].Detail}" : null;

    static IEnumerable<string> Notes(JudgeStanding it, CalibratedJudge? judge)
    {
        var promise = string.Create(CultureInfo.InvariantCulture, $"agree with people at least {1 - it.Guarantee.Alpha:0.#%} of the time, with confidence {1 - it.Guarantee.Delta:0.#%}");
        if (it.OpenAlarms.Count > 0)
            yield return "The guarantee is withdrawn while an alarm is open: nothing is passed on or withheld because of it.";
        else if (judge?.Threshold is { } line)
            yield return line > 0 ? string.Create(CultureInfo.InvariantCulture, $"Verdicts above the line ({line:0.###}) {promise}.") : $"Verdicts {promise}, whatever their confidence.";
        else if (judge is { IsHopeless: true })
            yield return $"No level of confidence is found from which verdicts {promise}, and more labels will hardly help: allow a larger alpha, or use a better judge. "
                + (it.Guarantee.Below == BelowLine.Escalate && it.Calibration!.Judges.Count > 1 ? "Everything is passed on to the next judge." : "Nothing is withheld.");
        else
            yield return $"Not enough labels for the guarantee: {judge?.Labels ?? 0} blind labels, about {Promise(it).LabelsNeeded} more. Until then every verdict stands and nothing is withheld.";
        if ((judge?.Labels ?? 0) < JudgeCalibration.LeastLabels)
            yield return $"Confidences are calibrated from {JudgeCalibration.LeastLabels} labels on: {JudgeCalibration.LeastLabels - (judge?.Labels ?? 0)} more.";
        if (judge is { Labels: > 0, Drawn: false })
            yield return "The labels were given unasked, and are taken for a random part of what was judged: items drawn by chance (`audit_rate`) need no such belief.";
    }
}
