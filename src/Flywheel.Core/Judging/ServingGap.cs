using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging;

/// <summary>What seeing the judge's word does to people.</summary>
/// <param name="Blind">Agreement with the judge where its word was withheld.</param>
/// <param name="Suggested">Agreement where it was shown.</param>
/// <param name="Gap">Suggested less blind; null until both have labels.</param>
public sealed record ServingGap(Interval Blind, Interval Suggested, double? Gap)
{
    /// <returns>Null until the queue served a pair.</returns>
    public static ServingGap? Of(IReadOnlyList<ServedAgreement> agreements)
    {
        if (agreements.Count == 0)
            return null;
        Interval Share(ServedMode mode) =>
            agreements.FirstOrDefault(each => each.Mode == mode) is { } it ? Interval.Share(it.Agreed, it.Labels) : Interval.Share(0, 0);
        var (blind, suggested) = (Share(ServedMode.Blind), Share(ServedMode.Suggested));
        return new(blind, suggested, suggested.Value - blind.Value);
    }
}
