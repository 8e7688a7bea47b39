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
    public static CalibrationScores Of(IReadOnlyList<(double Score, bool Agreed)> points, IReadOnlyList<(double Score, bool Agreed)>? ranked = null)
    {
        if (points.Count == 0)
            throw new ArgumentException("There is no labelled verdict to score.", nameof(points));
        double brier = 0, loss = 0;
        Span<double> binScore = stackalloc double[Bins], binAgreed = stackalloc double[Bins];
        foreach (var (score, agreed) in points)
        {
            var outcome = agreed ? 1 : 0;
            brier += (score - outcome) * (score - outcome);
            loss -= Math.Log(Math.Clamp(agreed ? score : 1 - score, Edge, 1 - Edge));
            var bin = Math.Clamp((int)(score * Bins), 0, Bins - 1);
            binScore[bin] += score;
            binAgreed[bin] += outcome;
        }
        double ece = 0;
        for (var bin = 0; bin < Bins; bin++)
            ece += Math.Abs(binScore[bin] - binAgreed[bin]);
        return new CalibrationScores(brier / points.Count, loss / points.Count, ece / points.Count, AreaUnderRisk(ranked ?? points), ErrorDetection(ranked ?? points));
    }

    /// <summary>The largest share of verdicts, most confident first, whose error rate is at most <paramref name="risk"/> on these rows.</summary>
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

    static double AreaUnderRisk(IReadOnlyList<(double Score, bool Agreed)> points)
    {
        double area = 0, errors = 0;
        var taken = 0;
        foreach (var group in points.GroupBy(point => point.Score).OrderByDescending(group => group.Key))
        {
            int size = group.Count(), wrong = group.Count(point => !point.Agreed);
            for (var i = 1; i <= size; i++)
                area += (errors + (double)wrong * i / size) / (taken + i);
            errors += wrong;
            taken += size;
        }
        return area / points.Count;
    }

    static double? ErrorDetection(IReadOnlyList<(double Score, bool Agreed)> points)
    {
        double below = 0, pairs = 0;
        foreach (var group in points.GroupBy(point => point.Score).OrderBy(group => group.Key))
        {
            double agreed = group.Count(point => point.Agreed), errors = group.Count() - agreed;
            pairs += agreed * (below + errors / 2);
            below += errors;
        }
        return below > 0 && below < points.Count ? pairs / (below * (points.Count - below)) : null;
    }
}
