using System.Diagnostics;

namespace Flywheel.Core.Observability;

/// <summary>
/// The one source of Flywheel's own activities (spans in the sense of OpenTelemetry). Without a listener it costs nothing.
/// </summary>
public static class FlywheelActivities
{
    public const string Name = "Flywheel";

    public static ActivitySource Source { get; } = new(Name, typeof(FlywheelActivities).Assembly.GetName().Version?.ToString(3));
}
