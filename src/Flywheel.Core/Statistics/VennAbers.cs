namespace Flywheel.Core.Statistics;

/// <summary>An interval of probabilities for one more verdict, one end of which is calibrated whatever the scores are like.</summary>
/// <remarks>Inductive Venn-Abers predictors, Vovk and Petej (arXiv 1211.0025): the isotonic fit with the new score taken once as an error and
/// once as agreement.</remarks>
public sealed class VennAbers
{
    readonly (double Score, double Outcome, double Weight)[] _points;

    VennAbers((double, double, double)[] points) => _points = points;

    /// <param name="points">Score and whether the person agreed, of rows that the score was not fitted on.</param>
    public static VennAbers Fit(IEnumerable<(double Score, bool Agreed)> points) =>
        // Equal scores are one weighted point, so that few distinct confidences stay cheap.
        new([.. points.GroupBy(point => point.Score).Select(group => (group.Key, group.Average(point => point.Agreed ? 1.0 : 0), (double)group.Count()))]);

    /// <returns>Low: taken as an error; high: taken as agreement.</returns>
    public (double Low, double High) Interval(double score) =>
        (IsotonicFit.Fit(_points.Append((score, 0, 1))).At(score), IsotonicFit.Fit(_points.Append((score, 1, 1))).At(score));

    /// <summary>One probability out of the two ends, the one of least regret in log-loss.</summary>
    public double Predict(double score)
    {
        var (low, high) = Interval(score);
        return high / (1 - low + high);
    }
}
