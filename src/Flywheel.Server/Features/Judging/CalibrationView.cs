using System.Text.Json.Serialization;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Statistics;
using Flywheel.Engine.Judging;

namespace Flywheel.Server.Features.Judging;

public sealed record CalibrationScoresView(double Brier, double LogLoss, double Ece, double Aurc, double? Auroc)
{
    public static CalibrationScoresView? Of(CalibrationScores? it) =>
        it is null ? null : new(it.Brier, it.LogLoss, it.Ece, it.Aurc, it.Auroc);
}

/// <param name="Low">Venn-Abers: the probability of agreement if one more such verdict were an error.</param>
/// <param name="High">The same if it were right.</param>
public sealed record CalibrationPoint(double RawConfidence, double Labels, double Agreed, double Low, double High);

/// <param name="N">Blind labels of what this judge decided.</param>
/// <param name="Errors">Of these, where people disagreed.</param>
/// <param name="Labels"><c>drawn</c>: by chance, weighted by it; <c>unasked</c>: too few were drawn, and labels given by hand stand
/// in.</param>
/// <param name="Calibrator">Null until there are 30 labels.</param>
/// <param name="Scores">Of the calibrated probability, out of sample.</param>
/// <param name="Raw">Of the confidence as it came.</param>
/// <param name="ThresholdOn"><c>raw_confidence</c>, or <c>calibrated</c> where a second judge is asked.</param>
/// <param name="Inputs">P(agree) = logistic(intercept + sum of weight × (input - mean) / deviation).</param>
/// <param name="Points">Null unless intervals were asked for.</param>
public sealed record JudgeCalibrationView(
    string? Model, [property: JsonPropertyName("n")] int N, int Errors, string Labels, string? Calibrator, CalibrationScoresView? Scores,
    CalibrationScoresView? Raw, double? Threshold, string ThresholdOn, int? LabelsNeeded, double? RiskBound, double Coverage,
    double? Intercept, IReadOnlyList<KeptInput>? Inputs, IReadOnlyList<CalibrationPoint>? Points)
{
    public static JudgeCalibrationView Of(CalibratedJudge it, bool second, bool intervals) => new(
        it.Model, it.Labels, it.Errors, it.Drawn ? "drawn" : "unasked", it.Fit is null ? null : "ridge-platt",
        CalibrationScoresView.Of(it.Scores), CalibrationScoresView.Of(it.Raw), it.Threshold, second ? "calibrated" : "raw_confidence",
        it.LabelsNeeded, it.RiskBound, it.Coverage, it.Fit?.Intercept, it.Fit?.Inputs,
        intervals ? [.. it.Points.Select(point => Point(it, point))] : null);

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
    DateTimeOffset? At, double Alpha, double Delta, string Below, string? Withdrawn, IReadOnlyList<JudgeCalibrationView> Judges,
    StandingCounts Newest, string Note)
{
    public static CalibrationView Of(JudgeReliability reliability, bool intervals = false)
    {
        var it = reliability.Standing;
        return new(
            it.Calibration?.At, it.Guarantee.Alpha, it.Guarantee.Delta, Wire.Name(it.Guarantee.Below), reliability.Withdrawn,
            [.. (it.Calibration?.Judges ?? []).Select(judge => JudgeCalibrationView.Of(judge, it.Calibration!.Plan.Second, intervals))],
            reliability.Newest, reliability.Note);
    }
}
