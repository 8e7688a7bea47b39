namespace Flywheel.Engine.Models.Http;

/// <summary>A provider answered with an error status; unlike the SDK's own exception it keeps Retry-After.</summary>
internal sealed class ModelHttpException(int status, string? retryAfter, string message) : Exception(message)
{
    public int Status { get; } = status;

    public string? RetryAfter { get; } = retryAfter;
}

/// <summary>A reply went over the limit and was not read to its end.</summary>
internal sealed class ReplyTooLargeException(long limit)
    : IOException($"the model's reply is larger than {limit / 1024 / 1024} MB and was not read to its end");
