namespace Flywheel.Core.Statistics;

/// <summary>How many items of each verdict people should label next.</summary>
/// <param name="Verdict">The judge's verdict.</param>
/// <param name="Waiting">Unlabelled items with it.</param>
/// <param name="Labels">How many of these to draw at random.</param>
/// <param name="Propensity">The chance of each waiting item to be drawn; null when none waits. To be kept with each drawn item.</param>
public readonly record struct LabelShare(bool Verdict, long Waiting, int Labels, double? Propensity);

/// <summary>Splits a budget of labels between an even audit of all traffic and the verdicts where a label tells most.</summary>
/// <remarks>
/// Half proportional, which also feeds calibration and drift alarms; half after Neyman (1934), judged items times the standard deviation of
/// the human answer within the verdict, taken from the Beta posterior's mean. Each verdict gets at least a tenth. Within a verdict items
/// are drawn evenly, so the rates of <see cref="PassRatePosterior"/> need no weights.
/// </remarks>
public static class LabelAllocation
{
    const double AuditShare = 0.5;
    const double LeastShare = 0.1;

    /// <summary>The smallest chance that an item may have: a smaller one would let a single label outweigh hundreds.</summary>
    public const double LeastPropensity = 0.05;

    /// <param name="pass">Counts of what the judge passed; labels so far tell how mixed it is.</param>
    /// <param name="fail">Counts of what it failed.</param>
    /// <param name="budget">Labels to give out.</param>
    public static (LabelShare Pass, LabelShare Fail) Split(VerdictCell pass, VerdictCell fail, int budget)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(budget);
        long waitingPass = Waiting(pass), waitingFail = Waiting(fail);
        budget = (int)Math.Min(budget, waitingPass + waitingFail);
        double all = pass.Judged + fail.Judged, mixedPass = pass.Judged * Deviation(pass), mixedFail = fail.Judged * Deviation(fail);
        var share = all > 0 ? AuditShare * fail.Judged / all + (1 - AuditShare) * mixedFail / (mixedPass + mixedFail) : 0.5;
        share = Math.Clamp(share, LeastShare, 1 - LeastShare);
        var fails = (int)Math.Min(waitingFail, Math.Round(share * budget, MidpointRounding.AwayFromZero));
        var passes = (int)Math.Min(waitingPass, budget - fails);
        fails = (int)Math.Min(waitingFail, budget - passes);
        return (new(true, waitingPass, passes, Chance(passes, waitingPass)), new(false, waitingFail, fails, Chance(fails, waitingFail)));
    }

    /// <summary>
    /// Chances of the items of one verdict, more for those whose answer is less certain; they add up to about the labels wanted.
    /// </summary>
    /// <param name="agreement">For each item the calibrated P(a person agrees).</param>
    /// <remarks>A chance is at least <see cref="LeastPropensity"/> and at most 1. Labels drawn so need the chances to be estimated
    /// from.</remarks>
    public static double[] Propensities(IReadOnlyList<double> agreement, int labels)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(labels);
        var spread = agreement.Select(share => Math.Sqrt(Math.Max(1e-6, share * (1 - share)))).ToArray();
        // The factor that makes clipped chances add up to the labels: their sum rises with it.
        double low = 0, high = labels / spread.DefaultIfEmpty(1).Min() + 1;
        for (var step = 0; step < 100; step++)
        {
            var middle = (low + high) / 2;
            if (spread.Sum(each => Math.Clamp(middle * each, LeastPropensity, 1)) < labels)
                low = middle;
            else
                high = middle;
        }
        return [.. spread.Select(each => Math.Clamp(high * each, LeastPropensity, 1))];
    }

    static long Waiting(VerdictCell cell) => Math.Max(0, cell.Judged - (long)Math.Ceiling(cell.Passes + cell.Fails));

    static double? Chance(int labels, long waiting) => waiting > 0 ? (double)labels / waiting : null;

    static double Deviation(VerdictCell cell)
    {
        var share = (cell.Passes + 0.5) / (cell.Passes + cell.Fails + 1);
        return Math.Sqrt(share * (1 - share));
    }
}
