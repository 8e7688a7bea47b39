using System.Text.Json.Nodes;
using Flywheel.Core.Statistics;

namespace Flywheel.Studies;

/// <summary>Is the promise above the threshold kept on rows that the threshold was not chosen on?</summary>
static class CalibrateStudy
{
    const double Delta = 0.1;
    static readonly double[] Alphas = [0.05, 0.10, 0.15, 0.20];
    static readonly int[] Sizes = [100, 200, 400];

    public static JsonArray Run(int resamples)
    {
        var table = new JsonArray();
        Console.Error.WriteLine($"violation of the promised risk (delta {Delta}) and coverage, {resamples} resamples; risk measured on the rows not calibrated on / on all rows");
        Console.Error.WriteLine($"{"verdicts",-34} {"err",5} {"n",4} {"alpha",5} {"ours: violated",15} {"coverage",8} {"naive: violated",15} {"coverage",8}");
        foreach (var recorded in RecordedConfidence.All())
        {
            var error = recorded.Rows.Average(row => row.Agreed == true ? 0.0 : 1);
            foreach (var size in Sizes.Where(size => size <= recorded.Rows.Length * 3 / 4))
                foreach (var alpha in Alphas)
                {
                    var random = new Random(11);
                    double rest = 0, all = 0, coverage = 0, naiveRest = 0, naiveCoverage = 0;
                    for (var i = 0; i < resamples; i++)
                    {
                        var (fit, test) = Split(recorded, size, random);
                        var points = Points(fit);
                        var threshold = SelectiveThreshold.Of(points, alpha, Delta).Threshold;
                        rest += Broken(test, threshold, alpha);
                        all += Broken(recorded.Rows, threshold, alpha);
                        coverage += Covered(test, threshold);
                        var naive = Naive(points, alpha);
                        naiveRest += Broken(test, naive, alpha);
                        naiveCoverage += Covered(test, naive);
                    }
                    Console.Error.WriteLine(FormattableString.Invariant(
                        $"{recorded.Name,-34} {error,5:0.000} {size,4} {alpha,5:0.00} {rest / resamples,7:0.000}/{all / resamples,7:0.000} {coverage / resamples,8:0.000} {naiveRest / resamples,15:0.000} {naiveCoverage / resamples,8:0.000}"));
                    table.Add(new JsonObject
                    {
                        ["verdicts"] = recorded.Name, ["n"] = size, ["alpha"] = alpha, ["violation_rest"] = rest / resamples, ["violation_all"] = all / resamples,
                        ["coverage"] = coverage / resamples, ["naive_violation"] = naiveRest / resamples, ["naive_coverage"] = naiveCoverage / resamples,
                    });
                }
        }
        return table;
    }

    public static (CalibrationRow[] Fit, CalibrationRow[] Test) Split(RecordedConfidence recorded, int size, Random random)
    {
        var order = Enumerable.Range(0, recorded.Rows.Length).ToArray();
        random.Shuffle(order);
        return ([.. order.Take(size).Select(i => recorded.Rows[i])], [.. order.Skip(size).Select(i => recorded.Rows[i])]);
    }

    static (double, bool)[] Points(CalibrationRow[] rows) => [.. rows.Select(row => (row.Confidence, row.Agreed!.Value))];

    static double Broken(CalibrationRow[] rows, double? threshold, double alpha)
    {
        var accepted = rows.Where(row => row.Confidence >= threshold).ToArray();
        return accepted.Length > 0 && accepted.Count(row => row.Agreed == false) > alpha * accepted.Length ? 1 : 0;
    }

    static double Covered(CalibrationRow[] rows, double? threshold) => rows.Count(row => row.Confidence >= threshold) / (double)rows.Length;

    /// <summary>The loosest level whose error rate on the calibration rows is at most alpha: what a plot would suggest.</summary>
    static double? Naive((double Confidence, bool Agreed)[] points, double alpha)
    {
        double? best = null;
        foreach (var level in SelectiveThreshold.Levels)
        {
            var accepted = points.Where(point => point.Confidence >= level).ToArray();
            if (accepted.Length > 0 && accepted.Count(point => !point.Agreed) <= alpha * accepted.Length)
                best = level;
        }
        return best;
    }
}
