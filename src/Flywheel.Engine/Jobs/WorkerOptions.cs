using System.ComponentModel.DataAnnotations;

namespace Flywheel.Engine.Jobs;

/// <summary>How a worker takes and does its work; the defaults suit one machine of two cores.</summary>
public sealed class WorkerOptions
{
    /// <summary>Whose leases these are, for people who look at the job table.</summary>
    public string Name { get; init; } = $"{Environment.MachineName}-{Environment.ProcessId}";

    /// <summary>Spans paired with metrics in one transaction.</summary>
    [Range(1, 10_000)]
    public int FanOutBatch { get; init; } = 512;

    /// <summary>Code jobs claimed at once and ended in one transaction.</summary>
    [Range(1, 10_000)]
    public int CodeBatch { get; init; } = 256;

    [Range(1, 256)]
    public int CodeConcurrency { get; init; } = Environment.ProcessorCount;

    /// <summary>Judge calls in flight at least.</summary>
    [Range(1, 1_000)]
    public int JudgeConcurrency { get; init; } = 8;

    /// <summary>Judge calls in flight that the models' rate limits allow now; null when nothing is known of them.</summary>
    public Func<int?> WantedConcurrency { get; init; } = static () => null;

    /// <summary>Judge jobs in hand: twice what is wanted, since half of the slots are filled again when the other half is free.</summary>
    internal int JudgeSlots => WantedConcurrency() is { } wanted
        ? Math.Clamp(2 * wanted + 8, JudgeConcurrency, Math.Max(JudgeConcurrency, MostSlots))
        : JudgeConcurrency;

    const int MostSlots = 2_000;

    /// <summary>Judge jobs started in one turn when turns are run one by one; otherwise a turn lasts as long as there is work.</summary>
    [Range(1, 10_000)]
    public int JudgeBatch { get; init; } = 256;

    /// <summary>Deltas folded into the counts in one transaction.</summary>
    [Range(1, 1_000_000)]
    public int FoldBatch { get; init; } = 10_000;

    /// <summary>A job whose worker died comes back after this; live work prolongs its lease three times as often.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    public TimeSpan CodeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan JudgeTimeout { get; init; } = TimeSpan.FromSeconds(90);

    /// <summary>After the last attempt the job is a dead letter.</summary>
    [Range(1, 100)]
    public int MaxAttempts { get; init; } = 5;

    public RetrySchedule Retry { get; init; } = RetrySchedule.Default;

    /// <summary>A provider that asks to wait stops all judge calls for at most this long.</summary>
    public TimeSpan LongestPause { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait when there is nothing to do doubles from here …</summary>
    public TimeSpan ShortestIdle { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>… up to here.</summary>
    public TimeSpan LongestIdle { get; init; } = TimeSpan.FromSeconds(2);
}
