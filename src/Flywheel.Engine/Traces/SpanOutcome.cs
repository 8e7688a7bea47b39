using Flywheel.Core.Traces;

namespace Flywheel.Engine.Traces;

/// <summary>What became of a span that was given to <see cref="SpanIntake"/>.</summary>
public enum SpanOutcome
{
    /// <summary>It is durable now.</summary>
    Stored,

    /// <summary>The same span was there already: a sender's retry, acknowledged again.</summary>
    Repeated,

    /// <summary>Another span has this trace and span id; the first one stays.</summary>
    Conflicting,

    /// <summary>It breaks a rule of <see cref="SpanRules"/>.</summary>
    Refused,
}
