namespace Flywheel.Core.Statistics;

/// <summary>One cell of a confusion matrix.</summary>
public sealed record ConfusionCell(string Expected, string Predicted, long Count);

/// <summary>How one class fared.</summary>
/// <param name="Support">Cases that are of this class.</param>
/// <param name="Predicted">Cases that were given this class.</param>
/// <param name="Precision">Of those given this class, the share that is; undefined when none was given it.</param>
/// <param name="Recall">Of those that are of this class, the share that was given it; undefined without support.</param>
/// <param name="F1">Harmonic mean of the two: 2TP / (2TP + FP + FN).</param>
public sealed record ClassScore(string Class, long Support, long Predicted, Interval Precision, Interval Recall, Interval F1);

/// <summary>Accuracy, precision, recall and F1 of a classifier against the right classes.</summary>
/// <param name="Confusion">Cells that are not empty, the most frequent first.</param>
public sealed record Classification(
    long Cases, Interval Accuracy, Interval MacroPrecision, Interval MacroRecall, Interval MacroF1, IReadOnlyList<ClassScore> Classes,
    IReadOnlyList<ConfusionCell> Confusion)
{
    /// <summary>Resamples of the bootstrap.</summary>
    public const int Replicates = 1_000;

    /// <summary>Scores counted pairs of right and given class.</summary>
    /// <remarks>
    /// Shares have Wilson intervals; F1 and the macro means have percentile intervals of a bootstrap over cases (Efron 1979), drawn as
    /// multinomial counts of the cells, so that its cost grows with the cells and not with the cases. A macro mean goes over the classes
    /// that occur on either side; a class that is never given has precision 0 in it, one without support recall 0.
    /// </remarks>
    /// <param name="seed">The same cells and seed give the same intervals.</param>
    public static Classification Of(IEnumerable<ConfusionCell> cells, int seed = 1)
    {
        var confusion = cells
            .GroupBy(cell => (cell.Expected, cell.Predicted))
            .Select(same => new ConfusionCell(same.Key.Expected, same.Key.Predicted, same.Sum(cell => cell.Count)))
            .Where(cell => cell.Count > 0)
            .OrderByDescending(cell => cell.Count).ThenBy(cell => cell.Expected, StringComparer.Ordinal)
            .ThenBy(cell => cell.Predicted, StringComparer.Ordinal)
            .ToArray();
        var classes = confusion.SelectMany(cell => new[] { cell.Expected, cell.Predicted }).Distinct().Order(StringComparer.Ordinal)
            .ToArray();
        var places = classes.Index().ToDictionary(each => each.Item, each => each.Index, StringComparer.Ordinal);
        var rows = confusion.Select(cell => places[cell.Expected]).ToArray();
        var columns = confusion.Select(cell => places[cell.Predicted]).ToArray();
        var counts = confusion.Select(cell => cell.Count).ToArray();

        var seen = new Tally(classes.Length);
        seen.Count(rows, columns, counts);
        var n = counts.Sum();
        var f1 = new double[classes.Length][];
        var macro = new double[3][];
        Bootstrap(rows, columns, counts, n, classes.Length, new Random(seed), f1, macro);

        var scores = classes.Select((name, k) => new ClassScore(
            name, seen.Support[k], seen.Predicted[k], Interval.Share(seen.Right[k], seen.Predicted[k]),
            Interval.Share(seen.Right[k], seen.Support[k]),
            Range(seen.F1(k), f1[k], seen.Support[k] + seen.Predicted[k] - seen.Right[k]))).ToArray();
        var means = seen.Means();
        return new(
            n, Interval.Share(seen.Right.Sum(), n), Range(means?.Precision, macro[0], n), Range(means?.Recall, macro[1], n),
            Range(means?.F1, macro[2], n),
            scores, confusion);
    }

    static Interval Range(double? value, double[] draws, long n)
    {
        var defined = draws.Where(draw => !double.IsNaN(draw)).Order().ToArray();
        return value is null || defined.Length == 0
            ? new(value, 0, 1, n, "bootstrap-95")
            : new(value, defined[(int)(0.025 * (defined.Length - 1))], defined[(int)Math.Ceiling(0.975 * (defined.Length - 1))], n,
                "bootstrap-95");
    }

    static void Bootstrap(int[] rows, int[] columns, long[] counts, long n, int classes, Random random, double[][] f1, double[][] macro)
    {
        for (var k = 0; k < classes; k++)
            f1[k] = new double[Replicates];
        for (var m = 0; m < macro.Length; m++)
            macro[m] = new double[Replicates];
        var drawn = new long[counts.Length];
        var tally = new Tally(classes);
        for (var r = 0; r < Replicates; r++)
        {
            long left = n, weight = n;
            for (var c = 0; c < counts.Length; c++)
            {
                drawn[c] = c == counts.Length - 1 ? left : Binomial(left, (double)counts[c] / weight, random);
                left -= drawn[c];
                weight -= counts[c];
            }
            tally.Count(rows, columns, drawn);
            for (var k = 0; k < classes; k++)
                f1[k][r] = tally.F1(k) ?? double.NaN;
            var means = tally.Means();
            (macro[0][r], macro[1][r], macro[2][r]) = means is { } each ? each : (double.NaN, double.NaN, double.NaN);
        }
    }

    /// <summary>
    /// Exact by inversion while few successes are expected, else the rounded normal, whose error no 2.5 % quantile shows.
    /// </summary>
    static long Binomial(long n, double p, Random random)
    {
        if (n <= 0 || p <= 0)
            return 0;
        if (p >= 1)
            return n;
        if (p > 0.5)
            return n - Binomial(n, 1 - p, random);
        if (n * p >= 30)
        {
            var z = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return Math.Clamp((long)Math.Round(n * p + z * Math.Sqrt(n * p * (1 - p))), 0, n);
        }
        var (odds, chance, draw) = (p / (1 - p), Math.Pow(1 - p, n), random.NextDouble());
        var successes = 0L;
        while (draw > chance && successes < n)
        {
            draw -= chance;
            chance *= odds * (n - successes) / (successes + 1);
            successes++;
        }
        return successes;
    }

    /// <summary>Marginal counts by class.</summary>
    sealed class Tally(int classes)
    {
        public long[] Support { get; } = new long[classes];
        public long[] Predicted { get; } = new long[classes];
        public long[] Right { get; } = new long[classes];

        public void Count(int[] rows, int[] columns, long[] counts)
        {
            Array.Clear(Support);
            Array.Clear(Predicted);
            Array.Clear(Right);
            for (var c = 0; c < counts.Length; c++)
            {
                Support[rows[c]] += counts[c];
                Predicted[columns[c]] += counts[c];
                if (rows[c] == columns[c])
                    Right[rows[c]] += counts[c];
            }
        }

        /// <summary>Null for a class that does not occur.</summary>
        public double? F1(int k) => Support[k] + Predicted[k] is var both and > 0 ? 2.0 * Right[k] / both : null;

        public (double Precision, double Recall, double F1)? Means()
        {
            var (precision, recall, f1, n) = (0.0, 0.0, 0.0, 0);
            for (var k = 0; k < Support.Length; k++)
                if (F1(k) is { } own)
                {
                    precision += Predicted[k] > 0 ? (double)Right[k] / Predicted[k] : 0;
                    recall += Support[k] > 0 ? (double)Right[k] / Support[k] : 0;
                    f1 += own;
                    n++;
                }
            return n == 0 ? null : (precision / n, recall / n, f1 / n);
        }
    }
}
