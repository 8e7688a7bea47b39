namespace Flywheel.Core.Statistics;

/// <summary>Out-of-sample predictions for every labelled row: each comes from fits that never saw the row.</summary>
public static class CrossFit
{
    const int Folds = 10;
    const int Repeats = 4;

    /// <param name="rows">All labelled.</param>
    /// <param name="fit">Gets the rows of the other folds; the function that it returns scores one row.</param>
    /// <returns>For each row, in the order of the rows and averaged over several ways of cutting the folds: a probability, and a rank score
    /// that tells only which row is more likely to be right than which.</returns>
    /// <remarks>
    /// Folds hold agreements and errors in equal parts: otherwise a fold with many errors is predicted from rows with few. What is left of
    /// that effect would still order rows by their fold, backwards: errors from fits that saw one error fewer, and so look safer. Rank
    /// scores are therefore each fit's log-odds against its own mean and deviation over all rows, for which no label is needed; a fit
    /// on one rising input then ranks exactly as the input does.
    /// </remarks>
    public static (double Share, double Rank)[] Predict(
        IReadOnlyList<CalibrationRow> rows, Func<IReadOnlyList<CalibrationRow>, Func<CalibrationRow, double>> fit, int seed = 1)
    {
        var predicted = new (double Share, double Rank)[rows.Count];
        var folds = Math.Min(Folds, rows.Count);
        if (folds < 2)
        {
            Array.Fill(predicted, (0.5, 0));
            return predicted;
        }
        var random = new Random(seed);
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            var order = Enumerable.Range(0, rows.Count).ToArray();
            random.Shuffle(order);
            var fold = new int[rows.Count];
            var dealt = 0;
            foreach (var i in order.OrderBy(i => rows[i].Agreed == true ? 1 : 0))
                fold[i] = dealt++ % folds;
            for (var left = 0; left < folds; left++)
            {
                var score = fit([.. rows.Where((_, i) => fold[i] != left)]);
                var shares = rows.Select(score).ToArray();
                var odds = shares.Select(share => Logistic.LogOdds(share, 1e-9)).ToArray();
                var mean = odds.Average();
                var deviation = Math.Sqrt(odds.Average(each => (each - mean) * (each - mean)));
                for (var i = 0; i < rows.Count; i++)
                    if (fold[i] == left)
                    {
                        predicted[i].Share += shares[i] / Repeats;
                        predicted[i].Rank += deviation > 1e-12 ? (odds[i] - mean) / deviation / Repeats : 0;
                    }
            }
        }
        // Sums in another order differ in their last digits; equal rows must stay equal.
        for (var i = 0; i < predicted.Length; i++)
            predicted[i].Rank = Math.Round(predicted[i].Rank, 9);
        return predicted;
    }
}
