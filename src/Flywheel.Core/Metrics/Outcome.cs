
namespace Flywheel.Core.Metrics;

public enum Outcome
{
    Pass,
    Fail,

    /// <summary>The validator looked and could not decide.</summary>
    Unsure,

    /// <summary>The validator was not asked; the reason says why.</summary>
    Skipped,

    /// <summary>The validator was asked and failed; the reason says how.</summary>
    Error,
}
