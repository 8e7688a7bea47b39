using System.Collections.Concurrent;
using Flywheel.Core;
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

/// <summary>Reads calibrations from the store, once in two seconds at most for each judge.</summary>
public sealed class StoredCalibrations(IFlywheelStore store, TimeProvider clock) : IJudgeCalibrations
{
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    readonly ConcurrentDictionary<(MetricVersionId, string), (CalibrationInForce InForce, long ReadAt)> _known = new();

    public async Task<CalibrationInForce> CurrentAsync(Metric metric, string judge, CancellationToken ct)
    {
        if (_known.TryGetValue((metric.VersionId, judge), out var known) && clock.GetElapsedTime(known.ReadAt) < Fresh)
            return known.InForce;
        var readAt = clock.GetTimestamp();
        var found = await store.Calibrations.FindAsync(metric.Project, metric.VersionId, judge, ct);
        var alarms = found is null ? [] : await store.JudgeWatch.AlarmsAsync(metric.Project, metric.Id, openOnly: true, 1, ct);
        var inForce = new CalibrationInForce(found, alarms.Count > 0);
        _known[(metric.VersionId, judge)] = (inForce, readAt);
        return inForce;
    }
}
