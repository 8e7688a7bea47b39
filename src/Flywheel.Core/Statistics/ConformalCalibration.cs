namespace Flywheel.Core.Statistics;

/// <summary>How strange a score is beside the scores of texts known to be ordinary: a p-value without a model of either.</summary>
/// <remarks>
/// Vovk, Gammerman and Shafer, 2005; Bates et al., Annals of Statistics 2023. If a new ordinary score is exchangeable with the
/// calibration scores, the share of ordinary texts with p at most alpha is at most alpha, and with m scores at least
/// alpha - 1/(m + 1) where there are no ties. That holds on average over calibration sets; strange rows among the ordinary ones only make
/// it more cautious.
/// </remarks>
public sealed class ConformalCalibration
{
    private readonly double[] _ascending;

    /// <param name="scores">Of ordinary texts, higher is stranger; must not be the scores that anything was fitted on.</param>
    public ConformalCalibration(IEnumerable<double> scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        _ascending = [.. scores];
        if (_ascending.Any(double.IsNaN))
            throw new ArgumentException("A calibration score is not a number.", nameof(scores));
        Array.Sort(_ascending);
    }

    /// <summary>Calibration scores; 0 makes every p-value 1.</summary>
    public int Count => _ascending.Length;

    /// <summary>(1 + how many calibration scores are as strange or stranger) / (m + 1): in (0, 1], small is strange.</summary>
    public double PValue(double score)
    {
        var below = 0;
        for (var above = _ascending.Length; below < above;)
        {
            var middle = (below + above) / 2;
            if (_ascending[middle] < score)
                below = middle + 1;
            else
                above = middle;
        }
        return (1.0 + _ascending.Length - below) / (_ascending.Length + 1.0);
    }

    /// <summary>
    /// Scores above this one have a p-value of at most <paramref name="falseAlarms"/>; null when there are too few scores for any to.
    /// </summary>
    /// <param name="falseAlarms">Nominal rate, in (0, 1).</param>
    public double? Threshold(double falseAlarms)
    {
        var stranger = (int)Math.Floor(Rate(falseAlarms) * (_ascending.Length + 1.0) + 1e-9) - 1;
        return stranger < 0 ? null : _ascending[Math.Max(0, _ascending.Length - 1 - stranger)];
    }

    /// <summary>The fewest calibration scores with which anything can be flagged at this rate: 19 at 5 %, 99 at 1 %.</summary>
    public static int Needed(double falseAlarms) => (int)Math.Ceiling(1 / Rate(falseAlarms) - 1e-9) - 1;

    private static double Rate(double falseAlarms) => falseAlarms is > 0 and < 1
        ? falseAlarms
        : throw new ArgumentOutOfRangeException(nameof(falseAlarms), falseAlarms, "A false-alarm rate lies between 0 and 1.");
}
