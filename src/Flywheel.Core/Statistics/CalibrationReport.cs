namespace Flywheel.Core.Statistics;

public enum CalibratorKind
{
    RidgePlatt,
    VennAbers,
    Isotonic,
}

/// <summary>How far a judge's confidence can be trusted, and from where on its verdicts may stand without a person.</summary>
/// <param name="Rows">N: all verdicts given, labelled or not.</param>
/// <param name="Labels">n: labelled ones.</param>
/// <param name="Errors">Labelled verdicts that the person disagreed with.</param>
/// <param name="Kind">The calibrator in use: ridge-Platt, above <see cref="IsotonicFrom"/> labels isotonic where that did better out of
/// sample.</param>
/// <param name="Fit">The ridge-Platt fit on all labelled rows, for use on new verdicts; the scores below are not its own but out of
/// sample.</param>
/// <param name="Calibrated">Out of sample: each row scored by fits that never saw it; null without labels.</param>
/// <param name="Raw">The confidence as it came; null without labels.</param>
/// <param name="Others">Out-of-sample scores of every calibrator tried.</param>
/// <param name="RawPoints">Labelled rows with the confidence as it came.</param>
/// <param name="OutOfSample">The same rows with the calibrator's out-of-sample rank score (<see cref="CrossFit"/>).</param>
/// <param name="Threshold">On the confidence as it came, so that no fit comes between labels and promise: all labels test it.</param>
/// <param name="Coverage">Share of all rows at or above the threshold; 0 without one.</param>
/// <param name="FeatureThreshold">On the calibrated confidence, with features only: fitted on one half of the labels, tested on the
/// other.</param>
/// <param name="FeatureFit">The fit of that half, to which <paramref name="FeatureThreshold"/> belongs.</param>
/// <param name="FeatureCoverage">Share of all rows whose score by <paramref name="FeatureFit"/> reaches that threshold.</param>
public sealed record CalibrationReport(
    int Rows, int Labels, int Errors, CalibratorKind Kind, RidgePlatt Fit, CalibrationScores? Calibrated, CalibrationScores? Raw,
    IReadOnlyDictionary<CalibratorKind, CalibrationScores> Others, IReadOnlyList<(double Score, bool Agreed)> RawPoints,
    IReadOnlyList<(double Score, bool Agreed)> OutOfSample,
    SelectiveThreshold Threshold, double Coverage, SelectiveThreshold? FeatureThreshold, RidgePlatt? FeatureFit, double FeatureCoverage)
{
    public const int IsotonicFrom = 1_000;

    /// <param name="rows">All with the same number of features.</param>
    public static CalibrationReport Of(IReadOnlyList<CalibrationRow> rows, double alpha, double delta, int seed = 1)
    {
        if (rows.Select(row => row.Features.Count).Distinct().Count() > 1)
            throw new ArgumentException("Rows differ in their number of features.", nameof(rows));
        var labelled = rows.Where(row => row.Agreed is not null).ToArray();
        var raw = labelled.Select(row => (row.Confidence, row.Agreed!.Value)).ToArray();
        var weights = WeightsOf(labelled);
        var hasFeatures = rows.Count > 0 && rows[0].Features.Count > 0;
        var (verdict, features) = (false, false);
        var predictions = new Dictionary<CalibratorKind, (double Share, double Rank)[]>();
        if (labelled.Length > 0)
        {
            (verdict, features, predictions[CalibratorKind.RidgePlatt]) = ChooseInputs(labelled, hasFeatures, seed);
            predictions[CalibratorKind.VennAbers] = CrossFit.Predict(
                labelled, train => OnConfidence(train, VennAbers.Fit(Points(train)).Predict), seed);
            predictions[CalibratorKind.Isotonic] = CrossFit.Predict(labelled, train => OnConfidence(train,
                IsotonicFit.Fit(train.Select(row => (row.Confidence, row.Agreed!.Value ? 1.0 : 0, row.Weight))).At), seed);
        }
        var scores = predictions.ToDictionary(one => one.Key, one => Scored(labelled, one.Value));
        var kind = labelled.Length > IsotonicFrom && scores[CalibratorKind.Isotonic].LogLoss < scores[CalibratorKind.RidgePlatt].LogLoss
            ? CalibratorKind.Isotonic
            : CalibratorKind.RidgePlatt;
        var threshold = SelectiveThreshold.Of(raw, alpha, delta, weights);

        SelectiveThreshold? featureThreshold = null;
        RidgePlatt? featureFit = null;
        if (hasFeatures && labelled.Length > 1)
        {
            var order = Enumerable.Range(0, labelled.Length).ToArray();
            new Random(seed).Shuffle(order);
            featureFit = RidgePlatt.Fit([.. order.Take(labelled.Length / 2).Select(i => labelled[i])], verdict: true, features: true);
            CalibrationRow[] tested = [.. order.Skip(labelled.Length / 2).Select(i => labelled[i])];
            featureThreshold = SelectiveThreshold.Of(
                [.. tested.Select(row => (featureFit.Predict(row), row.Agreed!.Value))], alpha, delta, WeightsOf(tested));
        }
        return new CalibrationReport(
            rows.Count, labelled.Length, raw.Count(pair => !pair.Value), kind, RidgePlatt.Fit(labelled, verdict, features),
            scores.GetValueOrDefault(kind), raw.Length > 0 ? CalibrationScores.Of(raw, weights: weights) : null, scores, raw,
            Pair(labelled, predictions.GetValueOrDefault(kind) ?? [], each => each.Rank), threshold,
            Share(rows, row => row.Confidence, threshold),
            featureThreshold, featureFit, Share(rows, row => featureFit!.Predict(row), featureThreshold));
    }

    /// <summary>The inputs of least log-loss out of sample, among those that order verdicts no worse than the confidence alone.</summary>
    /// <remarks>The second condition because log-loss looks at the middle, while what is settled without a person is at the top.</remarks>
    static (bool Verdict, bool Features, (double Share, double Rank)[] Predicted) ChooseInputs(
        CalibrationRow[] labelled, bool hasFeatures, int seed)
    {
        var best = Try(false, false);
        var area = Scored(labelled, best.Predicted).Aurc;
        var loss = Scored(labelled, best.Predicted).LogLoss;
        foreach (var (verdict, features) in new[] { (true, false), (false, true), (true, true) })
        {
            if (features && !hasFeatures)
                continue;
            var tried = Try(verdict, features);
            if (Scored(labelled, tried.Predicted) is var scores && scores.Aurc <= area && scores.LogLoss < loss)
                (best, loss) = (tried, scores.LogLoss);
        }
        return best;

        (bool, bool, (double Share, double Rank)[] Predicted) Try(bool verdict, bool features) =>
            (verdict, features, CrossFit.Predict(labelled, train => RidgePlatt.Fit(train, verdict, features).Predict, seed));
    }

    static CalibrationScores Scored(CalibrationRow[] labelled, (double Share, double Rank)[] predicted) =>
        CalibrationScores.Of(
            Pair(labelled, predicted, each => each.Share), Pair(labelled, predicted, each => each.Rank), WeightsOf(labelled));

    static (double, bool)[] Pair(
        CalibrationRow[] labelled, (double Share, double Rank)[] scored, Func<(double Share, double Rank), double> of) =>
        [.. scored.Zip(labelled, (each, row) => (of(each), row.Agreed!.Value))];

    static double Share(IReadOnlyList<CalibrationRow> rows, Func<CalibrationRow, double> score, SelectiveThreshold? threshold) =>
        threshold?.Threshold is { } line && rows.Count > 0 ? (double)rows.Count(row => score(row) >= line) / rows.Count : 0;

    static Func<CalibrationRow, double> OnConfidence(IReadOnlyList<CalibrationRow> train, Func<double, double> at)
    {
        // Equal confidences are asked for again and again; a fit answers each once.
        var known = new Dictionary<double, double>();
        return train.Count == 0 ? _ => 0.5 : row =>
        {
            if (!known.TryGetValue(row.Confidence, out var share))
                known[row.Confidence] = share = at(row.Confidence);
            return share;
        };
    }

    /// <summary>Score, agreement and weight, the mean weight being 1; rows are labelled.</summary>
    static IEnumerable<(double, double, double)> Points(IReadOnlyList<CalibrationRow> rows)
    {
        var mean = rows.Count > 0 ? rows.Average(row => row.Weight) : 1;
        return rows.Select(row => (row.Confidence, row.Agreed!.Value ? row.Weight / mean : 0, row.Weight / mean));
    }

    /// <summary>Null where all are alike, so that what is exact stays exact.</summary>
    static double[]? WeightsOf(CalibrationRow[] rows) =>
        rows.Length == 0 || rows.Max(row => row.Weight) - rows.Min(row => row.Weight) <= 1e-9 * rows.Max(row => row.Weight)
            ? null
            : [.. rows.Select(row => row.Weight)];
}
