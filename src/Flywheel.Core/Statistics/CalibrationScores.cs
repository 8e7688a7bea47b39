namespace Flywheel.Core.Statistics;

/// <summary>How good probabilities of agreement are, against what people said.</summary>
/// <param name="Brier">Mean squared error.</param>
/// <param name="LogLoss">Mean negative log-likelihood in nats, probabilities kept 1e-4 from 0 and 1.</param>
/// <param name="Ece">Expected calibration error over ten equal bins. A constant has a low one: never read it alone.</param>
/// <param name="Aurc">Area under the risk-coverage curve: the mean error rate of the most confident 1, 2, … n verdicts; equal scores
/// count as their mean order.</param>
/// <param name="Auroc">Chance that an agreed verdict has a higher score than an error; null without both.</param>
public sealed record CalibrationScores(double Brier, double LogLoss, double Ece, double Aurc, double? Auroc)
{
    const double Edge = 1e-4;
    const int Bins = 10;

    /// <param name="ranked">The same verdicts with what orders them, where that is not the probability itself.</param>
    /// <param name="weights">How many verdicts each stands for; null counts them alike.</param>
    public static CalibrationScores Of(
        IReadOnlyList<(double Score, bool Agreed)> points, IReadOnlyList<(double Score, bool Agreed)>? ranked = null,
        IReadOnlyList<double>? weights = null)
    {
        if (points.Count == 0)
            throw new ArgumentException("There is no labelled verdict to score.", nameof(points));
        double brier = 0, loss = 0;
        Span<double> binScore = stackalloc double[Bins], binAgreed = stackalloc double[Bins];
        double all = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var (score, agreed) = points[i];
            var weight = weights?[i] ?? 1;
            var outcome = agreed ? 1 : 0;
            all += weight;
            brier += weight * (score - outcome) * (score - outcome);
            loss -= weight * Math.Log(Math.Clamp(agreed ? score : 1 - score, Edge, 1 - Edge));
            var bin = Math.Clamp((int)(score * Bins), 0, Bins - 1);
            binScore[bin] += weight * score;
            binAgreed[bin] += weight * outcome;
        }
        double ece = 0;
        for (var bin = 0; bin < Bins; bin++)
            ece += Math.Abs(binScore[bin] - binAgreed[bin]);
        var ordered = (ranked ?? points).Select((point, i) => (point.Score, point.Agreed, Weight: weights?[i] ?? 1)).ToArray();
        return new CalibrationScores(brier / all, loss / all, ece / all, AreaUnderRisk(ordered, all), ErrorDetection(ordered, all));
    }

    /// <summary>
    /// The largest share of verdicts, most confident first, whose error rate is at most <paramref name="risk"/> on these rows.
    /// </summary>
    /// <remarks>What was, without any promise: <see cref="SelectiveThreshold"/> promises. Equal scores go in together.</remarks>
    public static double CoverageAtRisk(IReadOnlyList<(double Score, bool Agreed)> points, double risk)
    {
        int taken = 0, errors = 0, best = 0;
        foreach (var group in points.GroupBy(point => point.Score).OrderByDescending(group => group.Key))
        {
            taken += group.Count();
            errors += group.Count(point => !point.Agreed);
            if (errors <= risk * taken)
                best = taken;
        }
        return points.Count == 0 ? 0 : (double)best / points.Count;
    }

    static double AreaUnderRisk((double Score, bool Agreed, double Weight)[] points, double all)
    {
        double area = 0, errors = 0, taken = 0;
        foreach (var group in points.GroupBy(point => point.Score).OrderByDescending(group => group.Key))
        {
            var steps = group.Count();
            double size = group.Sum(point => point.Weight), wrong = group.Sum(point => point.Agreed ? 0 : point.Weight);
            for (var i = 1; i <= steps; i++)
                area += size / steps * (errors + wrong * i / steps) / (taken + size * i / steps);
            errors += wrong;
            taken += size;
        }
        return area / all;
    }

    static double? ErrorDetection((double Score, bool Agreed, double Weight)[] points, double all)
    {
        double below = 0, pairs = 0;
        foreach (var group in points.GroupBy(point => point.Score).OrderBy(group => group.Key))
        {
            double errors = group.Sum(point => point.Agreed ? 0 : point.Weight), agreed = group.Sum(point => point.Weight) - errors;
            pairs += agreed * (below + errors / 2);
            below += errors;
        }
        return points.Any(point => point.Agreed) && points.Any(point => !point.Agreed) ? pairs / (below * (all - below)) : null;
    }
}
