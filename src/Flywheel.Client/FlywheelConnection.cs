using System.Runtime.CompilerServices;
using Flywheel.Client.Outboxes;
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
public sealed class FlywheelConnection : IAsyncDisposable, IDisposable
{
    static readonly ConditionalWeakTable<ILoop, FlywheelConnection> Shared = new();
    static readonly Lock SharedGate = new();
    static FlywheelConnection? standard;
    static long unrecordedSteps;

    readonly Counters counters;
    readonly SpanSender sender;

    /// <param name="options">Null for the defaults; read once.</param>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public FlywheelConnection(ILoop loop, FlywheelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(loop);
        options ??= new();
        options.Check();
        Loop = loop;
        Time = options.Time;
        counters = new(options.OnFailure);
        Outbox = options.Outbox is null ? null : new(loop, options, counters);
        sender = new(RecordAsync, options, counters);
        Demonstrations = new(loop, Time, counters);
        Guards = new(loop.GuardAsync, "the guards' answer", FlywheelFailureKind.Guard, Time, counters);
    }

    /// <summary>Where the data lives.</summary>
    public ILoop Loop { get; }

    /// <summary>What it did so far; cheap enough for a health page.</summary>
    public FlywheelStatistics Statistics => counters.Snapshot(sender.Pending + (Outbox?.WaitingSpans ?? 0), Outbox?.Waiting ?? 0);

    /// <summary>
    /// What <c>UseFlywheel</c> and <see cref="FlywheelScope"/> use when they are given no loop. Set it once at start, or leave
    /// it to the environment: <c>FLYWHEEL_URL</c>, and if needed <c>FLYWHEEL_API_KEY</c>, <c>FLYWHEEL_PROJECT</c> and
    /// <c>FLYWHEEL_OUTBOX</c>.
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

    /// <summary>
    /// Waits until every span recorded so far is durable, refused or dropped. With the server away, as long as the token allows.
    /// </summary>
    public async Task FlushAsync(CancellationToken ct = default)
    {
        await sender.FlushAsync(ct).ConfigureAwait(false);
        if (Outbox is not null)
            await Outbox.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>
    /// Waits until the end of this process could not lose any span recorded so far: it is in the outbox, or had its outcome. Without an
    /// outbox as <see cref="FlushAsync"/>.
    /// </summary>
    public Task StoreAsync(CancellationToken ct = default) => sender.FlushAsync(ct);

    /// <summary>
    /// Sends what is pending, for as long as <see cref="FlywheelOptions.DrainTimeout"/>. What is in the outbox by then stays there; the
    /// rest is dropped and counted.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        lock (SharedGate)
            if (standard == this)
                standard = null;
        await sender.DisposeAsync().ConfigureAwait(false);
        if (Outbox is not null)
            await Outbox.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>The same, for who cannot wait asynchronously: it blocks the thread meanwhile.</summary>
    public void Dispose() => Task.Run(() => DisposeAsync().AsTask()).GetAwaiter().GetResult();

    internal TimeProvider Time { get; }

    internal Outbox? Outbox { get; }

    internal DemonstrationSource Demonstrations { get; }

    internal LoopQuestion<GuardQuery, GuardAnswer> Guards { get; }

    internal void Record(NewSpan span) => sender.Add(span);

    async Task<bool> RecordAsync(IReadOnlyList<NewSpan> spans, CancellationToken ct)
    {
        if (Outbox is not null && Outbox.TryStore(spans))
            return false;
        await Loop.RecordAsync(spans, ct).ConfigureAwait(false);
        return true;
    }

    internal void Failed(string what, Exception exception) =>
        counters.Failed(new(FlywheelFailureKind.Other, $"{what}: {exception.Message}", exception));

    internal static void CountUnrecordedStep() => Interlocked.Increment(ref unrecordedSteps);

    /// <summary>Makes this the default connection when there is none, until it is disposed.</summary>
    internal void BecomeDefault()
    {
        lock (SharedGate)
            standard ??= this;
    }

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
            throw new InvalidOperationException($"FLYWHEEL_URL is \"{url}\": give an address such as http://127.0.0.1:5151.");
        return new(
            new RemoteLoop(server, read("FLYWHEEL_API_KEY"), read("FLYWHEEL_PROJECT")),
            new() { Outbox = read("FLYWHEEL_OUTBOX") is { Length: > 0 } outbox ? outbox : null });
    }
}
