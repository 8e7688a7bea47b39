using System.Collections.Concurrent;
using Flywheel.Core;
using Flywheel.Core.Metrics;

namespace Flywheel.Engine.Judging;

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
