namespace Flywheel.Core.Statistics;

/// <summary>Out-of-sample predictions for every labelled row: each comes from fits that never saw the row.</summary>
public static class CrossFit
{
    const int Folds = 10;
    const int Repeats = 4;

    /// <param name="rows">All labelled.</param>
    /// <param name="fit">Gets the rows of the other folds; the function that it returns scores one row.</param>
    /// <returns>A probability a row, in the order of the rows, averaged over several ways of cutting the folds.</returns>
    /// <remarks>Folds hold agreements and errors in equal parts: otherwise a fold with many errors is predicted from rows with few.</remarks>
    public static double[] Predict(
        IReadOnlyList<CalibrationRow> rows, Func<IReadOnlyList<CalibrationRow>, Func<CalibrationRow, double>> fit, int seed = 1)
    {
        var predicted = new double[rows.Count];
        var folds = Math.Min(Folds, rows.Count);
        if (folds < 2)
        {
            Array.Fill(predicted, 0.5);
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
                for (var i = 0; i < rows.Count; i++)
                    if (fold[i] == left)
                        predicted[i] += score(rows[i]) / Repeats;
            }
        }
        return predicted;
    }
}
