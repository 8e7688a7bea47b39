using System.Globalization;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging;

/// <summary>How far people agree among themselves: what a judge can hope for.</summary>
/// <param name="Alpha">Krippendorff's alpha, nominal, with its 95 % interval; null when all said the same.</param>
public sealed record HumanAgreement(double? Alpha, double? AlphaLow, double? AlphaHigh, int Items, int Labels)
{
    /// <returns>Null if no item has the labels of two people.</returns>
    public static HumanAgreement? Of(IReadOnlyList<PersonsAnswer> answers)
    {
        if (answers.Count == 0)
            return null;
        var agreement = RaterAgreement.Of([.. answers.Select(answer => new Rating(
            answer.Span.Value.ToString(CultureInfo.InvariantCulture), answer.Author, answer.Passed ? "pass" : "fail"))]);
        return new(agreement.Alpha.Value, agreement.Alpha.Low, agreement.Alpha.High, agreement.Items, agreement.Ratings);
    }
}
