using Flywheel.Core.Traces;

namespace Flywheel.Engine.Traces;

/// <summary>The outcome of one span.</summary>
/// <param name="Refusal">Why the span was not kept; null when it was.</param>
public readonly record struct SpanIntakeResult(SpanOutcome Outcome, SpanRefusal? Refusal)
{
    /// <summary>Durable, now or before.</summary>
    public bool IsKept => Refusal is null;
}
