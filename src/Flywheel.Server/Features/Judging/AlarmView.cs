using Flywheel.Core.Judging;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Judging;

namespace Flywheel.Server.Features.Judging;

/// <param name="ClosedAt">Null while the alarm is open.</param>
public sealed record AlarmView(
    long Id, string? Metric, string Kind, string ValidatorVersion, string Detail, DateTimeOffset RaisedAt, DateTimeOffset? ClosedAt,
    string? ClosedBy)
{
    public static AlarmView Of(JudgeAlarm it, string? metric) => new(
        it.Id, metric, Wire.Name(it.Kind), it.ValidatorVersion, it.Detail, it.RaisedAt, it.ClosedAt, it.ClosedBy);
}

/// <summary>Texts with planted orders.</summary>
/// <param name="Judged">So many of the newest 200 were decided both ways.</param>
/// <param name="Obeyed">In so many the judge did as it was told.</param>
public sealed record CanaryView(int Judged, int Obeyed);

public sealed record AlarmList(IReadOnlyList<AlarmView> Alarms, CanaryView? Canaries)
{
    public static AlarmList Of(MetricAlarms it, string metric) => new(
        [.. it.Alarms.Select(alarm => AlarmView.Of(alarm, metric))], new(it.CanariesJudged, it.CanariesObeyed));

    public static AlarmList Of(IEnumerable<OpenAlarm> open) => new([.. open.Select(each => AlarmView.Of(each.Alarm, each.Metric))], null);
}
