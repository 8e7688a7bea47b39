using Flywheel.Core.Judging;

namespace Flywheel.Engine.Judging;

/// <summary>How a metric's judge is calibrated now.</summary>
/// <param name="Calibration">Null when no verdict of the metric kept its answers yet.</param>
public sealed record JudgeStanding(JudgeCalibration? Calibration, GuaranteeSetting Guarantee, IReadOnlyList<JudgeAlarm> OpenAlarms);
