using System.Runtime.CompilerServices;
using Flywheel.Client.Prompting;
using Flywheel.Client.Recording;
using Flywheel.Client.Remote;
using Flywheel.Core;
using Flywheel.Core.Guarding;
using Flywheel.Core.Traces;

namespace Flywheel.Client;

/// <summary>The loop as one application sees it: asked within a deadline, told in the background, and never in the way.</summary>
/// <remarks>
/// All nodes of an application share one, so that spans are sent in batches. Dispose it at the end: that sends what is
/// pending. It does not dispose the loop, which belongs to who made it.
/// </remarks>
public sealed class FlywheelConnection : IAsyncDisposable
{
    static readonly ConditionalWeakTable<ILoop, FlywheelConnection> Shared = new();
    static readonly Lock SharedGate = new();
    static FlywheelConnection? standard;
    static long unrecordedSteps;

    readonly Counters counters;
    readonly SpanSender sender;

    public FlywheelConnection(ILoop loop, FlywheelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        options ??= new();
        options.Check();
        Loop = loop;
        Time = options.Time;
        counters = new(options.OnFailure);
        sender = new(loop, options, counters);
        Demonstrations = new(loop, Time, counters);
        Guards = new(loop.GuardAsync, "the guards' answer", FlywheelFailureKind.Guard, Time, counters);
    }

    public ILoop Loop { get; }

    public FlywheelStatistics Statistics => counters.Snapshot(sender.Pending);

    /// <summary>
    /// What <c>UseFlywheel</c> and <see cref="FlywheelScope"/> use when they are given no loop. Set it once at start, or leave
    /// it to the environment: <c>FLYWHEEL_URL</c>, and if needed <c>FLYWHEEL_API_KEY</c> and <c>FLYWHEEL_PROJECT</c>.
    /// </summary>
    /// <exception cref="InvalidOperationException">Read while neither is there.</exception>
    public static FlywheelConnection Default
    {
        get => FindDefault() ?? throw new InvalidOperationException(
            "No loop is known: pass one to UseFlywheel, set FlywheelConnection.Default, or set FLYWHEEL_URL to the server's address.");
        set
        {
            lock (SharedGate)
                standard = value;
        }
    }

    /// <summary>Steps of <see cref="FlywheelScope"/> that ended with no connection to record them, in this process.</summary>
    public static long UnrecordedSteps => Interlocked.Read(ref unrecordedSteps);

    /// <summary>The connection with default options that everybody who names this loop shares; made when first asked for.</summary>
    public static FlywheelConnection To(ILoop loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
        lock (SharedGate)
        {
            if (Shared.TryGetValue(loop, out var known) && !known.sender.IsClosed)
                return known;
            var fresh = new FlywheelConnection(loop);
            Shared.AddOrUpdate(loop, fresh);
            return fresh;
        }
    }

    /// <summary>Waits until every span recorded so far is durable, refused or dropped. With the server away, as long as the token allows.</summary>
    public Task FlushAsync(CancellationToken ct = default) => sender.FlushAsync(ct);

    public ValueTask DisposeAsync() => sender.DisposeAsync();

    internal TimeProvider Time { get; }

    internal DemonstrationSource Demonstrations { get; }

    internal LoopQuestion<GuardQuery, GuardAnswer> Guards { get; }

    internal void Record(NewSpan span) => sender.Add(span);

    internal void Failed(string what, Exception exception) =>
        counters.Failed(new(FlywheelFailureKind.Other, $"{what}: {exception.Message}", exception));

    internal static void CountUnrecordedStep() => Interlocked.Increment(ref unrecordedSteps);

    internal static FlywheelConnection? FindDefault()
    {
        lock (SharedGate)
            return standard ??= FromEnvironment(Environment.GetEnvironmentVariable);
    }

    internal static FlywheelConnection? FromEnvironment(Func<string, string?> read)
    {
        if (read("FLYWHEEL_URL") is not { Length: > 0 } url)
            return null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var server))
            throw new InvalidOperationException($"FLYWHEEL_URL is \"{url}\": give an address such as http://127.0.0.1:5080.");
        return new(new RemoteLoop(server, read("FLYWHEEL_API_KEY"), read("FLYWHEEL_PROJECT")));
    }
}
