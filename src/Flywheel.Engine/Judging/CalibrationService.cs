using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>Tells what the confidence of a metric's judge is worth.</summary>
public sealed class CalibrationService(IMetricStore metrics, ICalibrationStore calibrations, JudgeCalibrator calibrator)
{
    /// <returns>Null if the metric is decided by something other than a judge.</returns>
    public async Task<JudgeReliability?> FindAsync(Metric metric, CancellationToken ct) =>
        await calibrator.StandingAsync(metric, ct) is not { } standing
            ? null
            : new(standing,
                await calibrations.StandingAsync(metric.Project, metric.VersionId, metric.Id, JudgeReliability.MostVerdicts, ct));

    /// <exception cref="RequestException">The metric is decided by something other than a judge.</exception>
    public async Task<JudgeReliability> GetAsync(Caller caller, string name, CancellationToken ct)
    {
        var metric = await metrics.GetAsync(caller.Project, name, ct);
        return await FindAsync(metric, ct) ?? throw RequestException.NotFound(
            "calibration", $"`{name}` is decided by `{metric.Validator.Kind}`, which has no confidence to calibrate.");
    }
}
