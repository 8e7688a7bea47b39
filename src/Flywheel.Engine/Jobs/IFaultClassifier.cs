namespace Flywheel.Engine.Jobs;

/// <summary>What an exception of a validator means for its job.</summary>
/// <param name="Retryable">Whether a later attempt may succeed.</param>
/// <param name="RetryAfter">How long the other side asked to be left alone; null when it did not say.</param>
/// <param name="Reason">For people; stored with the verdict, never logged.</param>
/// <param name="MayHaveCost">True when the call may be billed although it failed: its reserved budget is then kept.</param>
public sealed record Fault(bool Retryable, TimeSpan? RetryAfter, string Reason, bool MayHaveCost = false);

public interface IFaultClassifier
{
    Fault Classify(Exception error);
}

/// <summary>Knows the platform's exceptions only: a caller's mistake is not retried, everything else is.</summary>
public sealed class PlatformFaults : IFaultClassifier
{
    const int MaxReasonLength = 300;

    public Fault Classify(Exception error)
    {
        var isMistake = error is ArgumentException or NotSupportedException or NotImplementedException or InvalidCastException
            or NullReferenceException or IndexOutOfRangeException or KeyNotFoundException or FormatException;
        var message = error.Message.Length <= MaxReasonLength ? error.Message : error.Message[..MaxReasonLength] + "…";
        return new(!isMistake, null, $"{error.GetType().Name}: {message}", MayHaveCost: error is TimeoutException or IOException);
    }
}
