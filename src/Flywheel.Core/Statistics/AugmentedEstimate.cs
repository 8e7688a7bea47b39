namespace Flywheel.Core.Statistics;

/// <summary>Pass rates from labels drawn with known propensities, helped by the judge.</summary>
public static class AugmentedEstimate
{
    const int Folds = 5;

    /// <summary>Augmented inverse-propensity weighting: the mean of f + labelled / propensity * (human - f).</summary>
    /// <remarks>
    /// <para>f is P(human passes | verdict, stratum), fitted on the other folds with weights 1 / propensity: whatever f is, the estimate is
    /// unbiased, and a good f makes it narrow. Robins, Rotnitzky and Zhao 1994; PPI++ (arXiv 2311.01453) is the case of equal
    /// propensities. The interval is normal on the log-odds scale, which keeps it inside (0, 1).</para>
    /// <para>Where not all that was drawn has been labelled yet, the labels of a verdict speak for all of its rows: their weights are
    /// scaled to
    /// that number (Hájek 1971).</para>
    /// <para>A normal interval needs labels of both kinds: <see cref="RateEstimate"/> uses this from 100 labels and 10 fails.</para>
    /// </remarks>
    /// <param name="rows">All judged traffic; a labelled row needs its propensity.</param>
    public static Estimate Weighted(IReadOnlyList<JudgedRow> rows)
    {
        if (rows.Sum(row => row.Count) < 2)
            throw new ArgumentException("An estimate needs at least two rows.", nameof(rows));
        // Labelled rows are dealt to folds in turn within what f can tell apart, so that each fold holds a like part of them.
        var cells = new Dictionary<(bool?, string?), int>();
        var cellOf = new int[rows.Count];
        var verdicts = new Dictionary<int, (long Judged, double Weight)>();
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i] is { Human: not null, Propensity: null })
                throw new ArgumentException($"Row {i} is labelled without a propensity.", nameof(rows));
            if (!cells.TryGetValue((rows[i].Judge, rows[i].Stratum), out cellOf[i]))
                cells[(rows[i].Judge, rows[i].Stratum)] = cellOf[i] = cells.Count;
            var (judged, weighed) = verdicts.GetValueOrDefault(Verdict(rows[i]));
            verdicts[Verdict(rows[i])] = (judged + rows[i].Count, weighed + (rows[i].Human is null ? 0 : 1 / rows[i].Propensity!.Value));
        }
        var weight = new double[cells.Count, Folds];
        var passes = new double[cells.Count, Folds];
        var labels = new int[cells.Count];
        var fold = new int[rows.Count];
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].Human is not { } human)
                continue;
            fold[i] = labels[cellOf[i]]++ % Folds;
            weight[cellOf[i], fold[i]] += 1 / rows[i].Propensity!.Value;
            passes[cellOf[i], fold[i]] += human ? 1 / rows[i].Propensity!.Value : 0;
        }

        var predicted = Predict(weight, passes, labels);
        double sum = 0, squares = 0, all = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            all += rows[i].Count;
            if (rows[i].Human is { } human)
            {
                var f = predicted[cellOf[i], fold[i]];
                var (judged, weighed) = verdicts[Verdict(rows[i])];
                Add(f + ((human ? 1 : 0) - f) / rows[i].Propensity!.Value * (judged / weighed), 1);
            }
            else
                for (var each = 0; each < Folds; each++)
                    Add(predicted[cellOf[i], each], rows[i].Count / (double)Folds);
        }
        var mean = sum / all;
        var variance = Math.Max(0, squares / all - mean * mean) * all / (all - 1);
        return OnLogOdds(mean, Math.Sqrt(variance / all));

        void Add(double phi, double count)
        {
            sum += count * phi;
            squares += count * phi * phi;
        }

        static int Verdict(JudgedRow row) => row.Judge switch { true => 1, false => 0, _ => -1 };
    }

    /// <summary>Prediction-powered inference with the power-tuned weight of the judge; labels drawn uniformly.</summary>
    /// <remarks>PPI++, arXiv 2311.01453. Normal interval: it fails near 0 and 1 with few labels, where no fail may have been seen at
    /// all.</remarks>
    /// <param name="human">People's labels on the labelled rows, 0 or 1.</param>
    /// <param name="judgeLabelled">The judge's prediction on the same rows.</param>
    /// <param name="judgeAll">The judge's prediction on all the other rows.</param>
    /// <param name="weight">Null tunes it; 1 is plain PPI.</param>
    public static Estimate PredictionPowered(
        ReadOnlySpan<double> human, ReadOnlySpan<double> judgeLabelled, ReadOnlySpan<double> judgeAll, double? weight = null)
    {
        if (human.Length != judgeLabelled.Length)
            throw new ArgumentException("Each label needs its judge's prediction.", nameof(judgeLabelled));
        if (human.Length < 2 || judgeAll.Length < 2)
            throw new ArgumentException("Prediction-powered inference needs two labelled and two unlabelled rows.", nameof(human));
        double n = human.Length, N = judgeAll.Length;
        var (meanHuman, _) = Timestamps(human);
        var (meanLabelled, _) = Timestamps(judgeLabelled);
        var (meanAll, varianceAll) = Timestamps(judgeAll);
        double covariance = 0;
        for (var i = 0; i < human.Length; i++)
            covariance += (human[i] - meanHuman) * (judgeLabelled[i] - meanLabelled);
        covariance /= n - 1;
        var lambda = weight ?? (varianceAll > 0 ? Math.Clamp(covariance / ((1 + n / N) * varianceAll), 0, 1) : 0);
        var rest = new double[human.Length];
        for (var i = 0; i < rest.Length; i++)
            rest[i] = human[i] - lambda * judgeLabelled[i];
        var (meanRest, varianceRest) = Timestamps(rest);
        var mean = lambda * meanAll + meanRest;
        var margin = 1.959964 * Math.Sqrt(lambda * lambda * varianceAll / N + varianceRest / n);
        return new Estimate(mean, mean - margin, mean + margin);
    }

    static double[,] Predict(double[,] weight, double[,] passes, int[] labels)
    {
        var predicted = new double[labels.Length, Folds];
        double allWeight = weight.Cast<double>().Sum(), allPasses = passes.Cast<double>().Sum();
        var typical = labels.Sum() > 0 ? allWeight / labels.Sum() : 1;
        var overall = allWeight > 0 ? allPasses / allWeight : 0.5;
        for (var cell = 0; cell < labels.Length; cell++)
            for (var fold = 0; fold < Folds; fold++)
            {
                double w = 0, p = 0;
                for (var other = 0; other < Folds; other++)
                    if (other != fold)
                        (w, p) = (w + weight[cell, other], p + passes[cell, other]);
                // One label's worth of the overall rate, for cells that hardly anybody labelled.
                predicted[cell, fold] = (p + typical * overall) / (w + typical);
            }
        return predicted;
    }

    static Estimate OnLogOdds(double mean, double error)
    {
        if (mean is <= 0 or >= 1)
            return new Estimate(Math.Clamp(mean, 0, 1), Math.Clamp(mean - 1.959964 * error, 0, 1),
                Math.Clamp(mean + 1.959964 * error, 0, 1));
        var odds = Math.Log(mean / (1 - mean));
        var margin = 1.959964 * error / (mean * (1 - mean));
        return new Estimate(mean, Logistic.Share(odds - margin), Logistic.Share(odds + margin));
    }

    static (double Mean, double Variance) Timestamps(ReadOnlySpan<double> values)
    {
        double sum = 0, squares = 0;
        foreach (var value in values)
            sum += value;
        var mean = sum / values.Length;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, values.Length > 1 ? squares / (values.Length - 1) : 0);
    }
}
