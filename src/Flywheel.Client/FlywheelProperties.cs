namespace Flywheel.Client;

/// <summary>Keys in <c>ChatResponse.AdditionalProperties</c> through which clients of this library and models talk.</summary>
public static class FlywheelProperties
{
    /// <summary>Set by us: the trace id of the recorded call.</summary>
    public const string TraceId = "flywheel.trace_id";

    /// <summary>Set by us: the span id of the recorded call.</summary>
    public const string SpanId = "flywheel.span_id";

    /// <summary>On the messages of a <see cref="FlywheelPrompt"/>: its name, which its span then carries.</summary>
    public const string PromptName = "flywheel.prompt.name";

    /// <summary>On the messages of a <see cref="FlywheelPrompt"/>: its version.</summary>
    public const string PromptVersion = "flywheel.prompt.version";

    /// <summary>Read by us: the model's own confidence in its answer, a number in [0, 1].</summary>
    public const string Confidence = "flywheel.confidence";
}
