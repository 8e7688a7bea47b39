using Flywheel.Core.Statistics;

namespace Flywheel.Core.Judging.Aligning;

/// <summary>A new judge against the old one on the same held-out labels.</summary>
/// <param name="NewOnly">Texts that only the new judge had right; an effective number where labels are weighted.</param>
/// <param name="OldOnly">Texts that only the old judge had right.</param>
/// <param name="Probability">P(Beta(new + 1/2, old + 1/2) > 1/2): how likely the new judge is the better one.</param>
/// <param name="ExactP">Probability that of two equally good judges one would lead by as much.</param>
public sealed record PairedTest(int Labels, double NewOnly, double OldOnly, double Probability, double ExactP)
{
    /// <summary>How sure promotion must be.</summary>
    public const double Needed = 0.9;

    /// <summary>
    /// By both numbers. The posterior alone promotes one of two equal judges in a quarter of the cases when they differ on two texts, and
    /// in
    /// 19 % when they differ on five; the exact test keeps that share at 10 % or below whatever the number.
    /// </summary>
    public bool Promotes => Probability >= Needed && ExactP <= 1 - Needed + 1e-12;

    /// <param name="answers">Weight of the label (1 / its chance of being drawn; all 1 where nothing was drawn), and who was right.</param>
    public static PairedTest Of(IReadOnlyList<(double Weight, bool NewRight, bool OldRight)> answers)
    {
        var differing = answers.Where(each => each.NewRight != each.OldRight).ToArray();
        double sum = differing.Sum(each => each.Weight), squares = differing.Sum(each => each.Weight * each.Weight);
        if (differing.Any(each => !(each.Weight > 0)))
            throw new ArgumentException("A weight is above zero.", nameof(answers));
        // Weighted texts tell as much as so many equal ones (Kish 1965).
        var effective = differing.Length == 0 ? 0 : sum * sum / squares;
        var share = differing.Length == 0 ? 0 : differing.Where(each => each.NewRight).Sum(each => each.Weight) / sum;
        return Of(answers.Count, effective * share, effective * (1 - share));
    }

    public static PairedTest Of(int labels, double newOnly, double oldOnly) => new(
        labels, newOnly, oldOnly, 1 - BetaDistribution.Cdf(newOnly + 0.5, oldOnly + 0.5, 0.5),
        McNemar.AtLeast(newOnly, Math.Max(0, oldOnly)));
}
