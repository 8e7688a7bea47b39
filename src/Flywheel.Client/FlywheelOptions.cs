namespace Flywheel.Client;

/// <summary>How a connection records; every default works.</summary>
public class FlywheelOptions
{
    /// <summary>Spans in one send, 1 to 10,000.</summary>
    public int MaxBatch { get; set; } = 100;

    /// <summary>How long the first span of a batch waits for company.</summary>
    public TimeSpan MaxDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Spans that may wait or be under way; the next one is dropped and counted.</summary>
    public int MaxPending { get; set; } = 10_000;

    /// <summary>Characters of those spans, which bounds the memory they take (2 bytes each) whatever their number.</summary>
    public long MaxPendingCharacters { get; set; } = 32_000_000;

    /// <summary>A send that takes longer counts as failed and is repeated; the span's ids make the repeat harmless.</summary>
    public TimeSpan SendTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Pause after the first failed send; it doubles with every further one, with jitter of a quarter.</summary>
    public TimeSpan FirstRetry { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Where the pause stops growing. A Retry-After of the server counts instead, up to five minutes.</summary>
    public TimeSpan MaxRetry { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long disposing waits for what is pending; the rest is dropped and counted.</summary>
    public TimeSpan DrainTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A folder in which spans wait on disk until the loop has them, so that they survive the process; null keeps them in memory only.
    /// </summary>
    /// <remarks>
    /// Several processes may share it. It must be on a local disk, since processes tell each other's files apart by locks. It holds what
    /// people wrote, as plain text that only this user can read.
    /// </remarks>
    public string? Outbox { get; set; }

    /// <summary>
    /// Bytes of all files in the outbox beyond which further spans wait in memory, and are dropped and counted at its bounds.
    /// </summary>
    public long MaxOutboxBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>Told of every failure of ours, on whatever thread it happened; must be quick. What it throws is swallowed.</summary>
    public Action<FlywheelFailure>? OnFailure { get; set; }

    /// <summary>The clock, for tests.</summary>
    public TimeProvider Time { get; set; } = TimeProvider.System;

    /// <summary>Called with the file before each write; what it throws happened to the disk.</summary>
    internal Action<string>? BeforeOutboxWrite { get; set; }

    internal void Check()
    {
        if (Outbox is not null)
            ArgumentException.ThrowIfNullOrWhiteSpace(Outbox);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxOutboxBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxBatch, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxBatch, 10_000);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPending, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPendingCharacters, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxDelay, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(SendTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(FirstRetry, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxRetry, FirstRetry);
        ArgumentOutOfRangeException.ThrowIfLessThan(DrainTimeout, TimeSpan.Zero);
        ArgumentNullException.ThrowIfNull(Time);
    }
}
