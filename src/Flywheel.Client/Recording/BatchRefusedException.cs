namespace Flywheel.Client;

/// <summary>The loop refused a batch as a whole (400, 413, 422): nothing of it was kept, and repeating it is of no use.</summary>
public sealed class BatchRefusedException(string code, string message) : Exception(message)
{
    /// <summary>Machine-readable, such as <c>unknown_metric</c>.</summary>
    public string Code { get; } = code;
}
