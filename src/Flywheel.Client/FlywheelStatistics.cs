using Flywheel.Core.Traces;

namespace Flywheel.Client;

/// <summary>
/// What a connection did so far. Recorded + Dropped + Rejected + Pending is every span it was given or found in its outbox.
/// </summary>
/// <param name="Recorded">Spans that the loop acknowledged as durable.</param>
/// <param name="Dropped">Spans lost because the bound was reached, because disposing ran out of time, or because their line of the outbox
/// was damaged.</param>
/// <param name="Rejected">Spans that the loop, or our own check before sending, refused for good.</param>
/// <param name="FailedRetrievals">Calls that went without demonstrations because asking failed, took too long or was paused.</param>
/// <param name="FailedSends">Sends that failed and were repeated.</param>
/// <param name="OtherFailures">Faults in reading or describing a call, such as an exception in
/// <see cref="FlywheelChatOptions.ReadInput"/>.</param>
/// <param name="Pending">Spans waiting or under way, in memory or on disk.</param>
/// <param name="LastFailure">The newest failure in words; null when there was none.</param>
/// <param name="FailedGuards">Calls about which the guards could not be asked in time.</param>
/// <param name="Stored">Spans and calls that wait on disk, in the outbox.</param>
/// <param name="FailedStores">Times that a span or call could not be put there, repeats included: its disk is full or read-only, or the
/// bound was reached.</param>
public sealed record FlywheelStatistics(
    long Recorded, long Dropped, long Rejected, long FailedRetrievals, long FailedSends, long OtherFailures, long Pending,
    string? LastFailure, long FailedGuards = 0, long Stored = 0, long FailedStores = 0);

/// <summary>What failed.</summary>
public enum FlywheelFailureKind
{
    /// <summary>A call went without demonstrations.</summary>
    Retrieval,
    /// <summary>A call went unguarded, or was blocked because the guards did not answer.</summary>
    Guard,
    /// <summary>Sending failed and is repeated.</summary>
    Send,
    /// <summary>A span or a call was refused for good.</summary>
    Rejected,
    /// <summary>Spans were lost.</summary>
    Dropped,
    /// <summary>The outbox could not be written or read.</summary>
    Outbox,
    /// <summary>A fault in reading or describing a call.</summary>
    Other,
}

/// <summary>One failure of ours that the application did not see.</summary>
/// <param name="Span">The span it cost; null when it cost none, or more than one.</param>
public sealed record FlywheelFailure(FlywheelFailureKind Kind, string Message, Exception? Exception = null, SpanKey? Span = null);
