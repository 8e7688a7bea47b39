namespace Flywheel.Core.Statistics;

/// <summary>
/// Notices that a judge contradicts people more often than tolerated, label by label, without waiting for a sample of fixed size.
/// </summary>
/// <remarks>
/// An e-detector: Shin, Ramdas, Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2024
/// (arXiv 2203.03532), with one bounded bet a label. While the share of contradictions stays at or below the tolerated one, the mean
/// number of labels until an alarm is at least 1 / <c>alarmRate</c>, whatever the order and dependence of the labels. Bets are sized
/// by labels before the one they are laid on.
/// </remarks>
/// <param name="tolerated">Share in (0, 1) of contradictions that is no change.</param>
/// <param name="alarmRate">False alarms a label at most, in (0, 1).</param>
public sealed class DisagreementDetector(double tolerated, double alarmRate = 0.001)
{
    readonly double _tolerated = tolerated;
    /// <summary>Weight of the newest label in the running share that sizes the bets.</summary>
    const double Memory = 0.05;

    const double SmallestBet = 0.1;

    /// <summary>How far above what was seen before the tolerated share lies at least.</summary>
    public const double Margin = 0.03;

    /// <summary>One-sided 90 %: what was seen before is itself a sample.</summary>
    const double Doubt = 1.2816;

    double _recent = tolerated;

    /// <summary>Evidence for a change so far; an alarm at 1 / alarmRate.</summary>
    public double Evidence { get; private set; }

    public bool Alarms => Evidence >= 1 / alarmRate;

    /// <summary>
    /// The share to tolerate after a stretch of labels: what they showed and a margin, or as much more as they leave open.
    /// </summary>
    /// <param name="labels">Above 0.</param>
    /// <returns>In (0, 0.95].</returns>
    public static double Tolerated(int contradictions, int labels) => Math.Min(
        0.95, Math.Max((double)contradictions / labels + Margin, Proportion.Wilson(contradictions, labels, Doubt).High));

    /// <summary>Takes the next label.</summary>
    /// <param name="contradicts">The judge said the opposite of the person.</param>
    /// <returns>Whether there is an alarm by now.</returns>
    public bool Add(bool contradicts)
    {
        var bet = Math.Clamp((_recent - _tolerated) / (_tolerated * (1 - _tolerated)), SmallestBet, 0.5 / _tolerated);
        var value = contradicts ? 1.0 : 0.0;
        Evidence = (1 + Evidence) * (1 + bet * (value - _tolerated));
        _recent += Memory * (value - _recent);
        return Alarms;
    }
}
