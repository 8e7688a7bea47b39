namespace Flywheel.Client.Messages;

internal static class Failure
{
    /// <summary>Type and message on one line: what a person looks for first.</summary>
    public static string Describe(Exception exception) =>
        exception is OperationCanceledException
            ? "cancelled: " + exception.Message
            : $"{exception.GetType().FullName}: {exception.Message}";
}
