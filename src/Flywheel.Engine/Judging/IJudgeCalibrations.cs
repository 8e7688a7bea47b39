using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

/// <param name="Calibration">Null while there is none.</param>
/// <param name="Withdrawn">An alarm is open: nothing is promised, and nothing acts on the line.</param>
public sealed record CalibrationInForce(JudgeCalibration? Calibration, bool Withdrawn);

/// <summary>What labels say of judges, for verdicts as they are made.</summary>
public interface IJudgeCalibrations
{
    /// <summary>As it is, a few seconds old at most.</summary>
    /// <param name="judge">As in <see cref="JudgeTrail.Judge"/>.</param>
    Task<CalibrationInForce> CurrentAsync(Metric metric, string judge, CancellationToken ct);
}
