using Flywheel.Client.Tracing;

namespace Flywheel.Client;

/// <summary>Groups the calls of one request: all of them until it is disposed, across awaits, share a trace id.</summary>
/// <remarks>
/// Inside a W3C activity (any ASP.NET Core request) the trace id is the activity's. Without this, calls outside an activity
/// are traces of their own.
/// </remarks>
public sealed class FlywheelTrace : IDisposable
{
    readonly Position? before;

    FlywheelTrace(Position? before, string traceId, string? session, string? endUser, FlywheelConnection? connection)
    {
        this.before = before;
        TraceId = traceId;
        Session = session;
        EndUser = endUser;
        Connection = connection;
    }

    /// <summary>32 hexadecimal digits.</summary>
    public string TraceId { get; }

    /// <summary>The conversation that the request belongs to; null when it stands alone.</summary>
    public string? Session { get; }

    /// <summary>Who asks, as the application names people; null when unknown.</summary>
    public string? EndUser { get; }

    /// <summary>The trace that the running code is in; null outside one.</summary>
    public static FlywheelTrace? Current => Position.Current?.Trace;

    /// <summary>Starts a trace, or within one a part of it that has its own session and user where they are given.</summary>
    /// <param name="connection">What records the steps inside; null takes that of the first chat client used, or the default.</param>
    public static FlywheelTrace Start(string? session = null, string? endUser = null, FlywheelConnection? connection = null)
    {
        var before = Position.Current;
        var here = Position.CurrentOrNew();
        var outer = here.Trace;
        var trace = new FlywheelTrace(
            before, here.TraceId, session ?? outer?.Session, endUser ?? outer?.EndUser, connection ?? outer?.Connection);
        Position.Current = here with { Trace = trace };
        return trace;
    }

    internal FlywheelConnection? Connection { get; set; }

    /// <summary>Ends the trace: what comes after is in the one around it, or in none.</summary>
    public void Dispose()
    {
        if (Position.Current?.Trace == this)
            Position.Current = before;
    }
}
