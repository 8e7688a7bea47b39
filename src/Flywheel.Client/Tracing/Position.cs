using System.Diagnostics;
using Flywheel.Core.Traces;

namespace Flywheel.Client.Tracing;

/// <summary>Where in which trace the running code stands; flows with it across awaits.</summary>
/// <param name="SpanId">The span that a new one is a child of; null at the root.</param>
/// <param name="Trace">What <see cref="FlywheelTrace.Start"/> opened around it; null when nothing did.</param>
internal sealed record Position(string TraceId, string? SpanId, FlywheelTrace? Trace)
{
    static readonly AsyncLocal<Position?> Here = new();

    /// <summary>Set within an async method, it lasts until that method returns.</summary>
    public static Position? Current
    {
        get => Here.Value;
        set => Here.Value = value;
    }

    /// <summary>
    /// The current position; with none of ours, that of the process's own tracing; with neither, the root of a new trace.
    /// </summary>
    /// <remarks>
    /// Ours goes first even when an activity was started inside it: its parent is a span that the loop has, the activity's
    /// own id is one that it may never see.
    /// </remarks>
    public static Position CurrentOrNew() =>
        Current
        ?? (Activity.Current is { IdFormat: ActivityIdFormat.W3C } activity
            ? new(activity.TraceId.ToHexString(), activity.SpanId.ToHexString(), null)
            : new(TraceIds.NewTrace(DateTimeOffset.UtcNow), null, null));

    public Position Child() => this with { SpanId = TraceIds.NewSpan() };

    public SpanKey Key => new(TraceId, SpanId ?? throw new InvalidOperationException("The root of a trace is no span."));
}
