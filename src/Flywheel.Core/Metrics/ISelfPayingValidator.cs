
namespace Flywheel.Core.Metrics;

/// <summary>
/// A validator that books each of its calls against the budget itself, since it does not know beforehand how many it will make.
/// </summary>
public interface ISelfPayingValidator : IPricedValidator
{
    /// <summary>False when nobody gave it a budget to book against.</summary>
    bool PaysItself { get; }
}
