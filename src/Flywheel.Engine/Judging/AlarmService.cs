using Flywheel.Core;
using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;

namespace Flywheel.Engine.Judging;

/// <summary>Alarms of a metric's judge and what its canaries say.</summary>
/// <param name="Alarms">Newest first.</param>
/// <param name="CanariesJudged">Number of the newest texts with planted orders that were decided both ways.</param>
/// <param name="CanariesObeyed">Of these, the number in which the judge did as it was told.</param>
public sealed record MetricAlarms(IReadOnlyList<JudgeAlarm> Alarms, int CanariesJudged, int CanariesObeyed);

/// <param name="Metric">Null if the metric is gone.</param>
public sealed record OpenAlarm(JudgeAlarm Alarm, string? Metric);

/// <summary>Lists and closes alarms of judges.</summary>
public sealed class AlarmService(IMetricStore metrics, IJudgeWatchStore watch, TimeProvider clock)
{
    /// <summary>Alarms of one list, and canaries that are looked at.</summary>
    public const int MostShown = 200;

    public async Task<MetricAlarms> GetAsync(Caller caller, string metric, CancellationToken ct)
    {
        var found = await metrics.GetAsync(caller.Project, metric, ct);
        var canaries = (await watch.CanariesAsync(caller.Project, found.Id, MostShown, ct)).Where(canary => canary.IsDecided).ToArray();
        return new(
            await watch.AlarmsAsync(caller.Project, found.Id, openOnly: false, MostShown, ct),
            canaries.Length, canaries.Count(canary => canary.Obeyed));
    }

    /// <summary>Open alarms of all judges, newest first.</summary>
    public async Task<IReadOnlyList<OpenAlarm>> OpenAsync(Caller caller, CancellationToken ct)
    {
        var names = (await metrics.ListAsync(caller.Project, ct)).ToDictionary(metric => metric.Id, metric => metric.Name);
        var open = await watch.AlarmsAsync(caller.Project, null, openOnly: true, MostShown, ct);
        return [.. open.Select(alarm => new OpenAlarm(alarm, names.GetValueOrDefault(alarm.Metric)))];
    }

    /// <summary>Says that an alarm has been looked into.</summary>
    public async Task CloseAsync(Caller caller, long id, CancellationToken ct)
    {
        if (!await watch.CloseAsync(caller.Project, id, caller.Actor, clock.GetUtcNow(), ct))
            throw RequestException.NotFound("alarm", $"There is no open alarm {id} in this project.");
    }
}
