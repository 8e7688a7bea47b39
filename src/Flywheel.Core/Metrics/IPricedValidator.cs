
namespace Flywheel.Core.Metrics;

/// <summary>A validator whose checks cost money.</summary>
public interface IPricedValidator : IValidator
{
    /// <summary>The finding when no call is needed, such as for a span without a text; null when a check would call.</summary>
    Finding? WithoutCall(Examinee examinee);

    /// <summary>US dollars that one check should cost at most: what a budget sets aside before the call.</summary>
    double ExpectedCostUsd(Examinee examinee);
}
