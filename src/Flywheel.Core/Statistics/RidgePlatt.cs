namespace Flywheel.Core.Statistics;

/// <summary>
/// Calibrated P(a person agrees): logistic regression on the confidence's log-odds and, if asked, the verdict and features.
/// </summary>
/// <remarks>
/// <para>Platt 1999 with his smoothed targets, so that labels without a single error still give a finite fit; inputs are standardised and
/// their weights carry a normal prior of standard deviation 1 (ridge), the intercept none. Newton's method.</para>
/// <para>Best of what was tried below about 500 labels; docs/uncertainty.md has the comparison.</para>
/// </remarks>
public sealed class RidgePlatt
{
    /// <summary>How far log-odds are kept from certainty: a vote of 5 to 0 is no proof.</summary>
    const double Edge = 0.001;

    const int Steps = 50;

    readonly double[] _means;
    readonly double[] _scales;
    readonly double[] _weights;

    RidgePlatt(bool verdict, bool features, double[] means, double[] scales, double[] weights) =>
        (UsesVerdict, UsesFeatures, _means, _scales, _weights) = (verdict, features, means, scales, weights);

    public bool UsesVerdict { get; }

    public bool UsesFeatures { get; }

    /// <summary>Log-odds of agreement when every input is at its mean.</summary>
    public double Intercept => _weights[0];

    /// <summary>
    /// Weights per standard deviation: the confidence's log-odds, the verdict (1 pass, 0 fail) if used, the features if used.
    /// </summary>
    public IReadOnlyList<double> Weights => _weights[1..];

    /// <summary>Means and standard deviations of the inputs, in the order of <see cref="Weights"/>.</summary>
    public IReadOnlyList<(double Mean, double Deviation)> Scaling => [.. _means.Zip(_scales)];

    /// <param name="rows">Rows without a label are passed over; none at all gives one half everywhere.</param>
    /// <param name="verdict">Whether the verdict itself may tell: passes may be right more often than fails.</param>
    /// <param name="features">Whether the rows' features may tell.</param>
    public static RidgePlatt Fit(IReadOnlyList<CalibrationRow> rows, bool verdict = false, bool features = false)
    {
        var labelled = rows.Where(row => row.Agreed is not null).ToArray();
        var width = 1 + (verdict ? 1 : 0) + (features && rows.Count > 0 ? rows[0].Features.Count : 0);
        double[] means = new double[width], scales = new double[width];
        var inputs = labelled.Select(row => Inputs(row, verdict, features)).ToArray();
        // Weights of mean 1: the ridge then weighs against as many labels as there are.
        var all = labelled.Sum(row => row.Weight);
        var shares = labelled.Select(row => row.Weight / all * labelled.Length).ToArray();
        double Mean(Func<double[], double> of) =>
            inputs.Zip(shares, (input, share) => share * of(input)).Sum() / Math.Max(1, inputs.Length);
        for (var j = 0; j < width; j++)
        {
            means[j] = Mean(input => input[j]);
            var variance = Mean(input => (input[j] - means[j]) * (input[j] - means[j]));
            scales[j] = variance > 1e-18 ? Math.Sqrt(variance) : 0;
        }
        foreach (var input in inputs)
            Standardise(input, means, scales);
        double agreed = labelled.Zip(shares, (row, share) => row.Agreed == true ? share : 0).Sum(), disagreed = labelled.Length - agreed;
        double high = (agreed + 1) / (agreed + 2), low = 1 / (disagreed + 2);
        var weights = Newton(inputs, [.. labelled.Select(row => row.Agreed == true ? high : low)], shares, width);
        return new RidgePlatt(verdict, features, means, scales, weights);
    }

    /// <summary>A fit that was kept: see <see cref="Intercept"/>, <see cref="Weights"/> and <see cref="Scaling"/>.</summary>
    public static RidgePlatt Of(
        bool verdict, bool features, double intercept, IReadOnlyList<double> weights,
        IReadOnlyList<(double Mean, double Deviation)> scaling) =>
        weights.Count == scaling.Count && weights.Count > 0
            ? new(verdict, features, [.. scaling.Select(each => each.Mean)], [.. scaling.Select(each => each.Deviation)],
                [intercept, .. weights])
            : throw new ArgumentException($"{weights.Count} weights for {scaling.Count} inputs.", nameof(weights));

    /// <summary>Probability that a person would agree with this verdict.</summary>
    public double Predict(CalibrationRow row)
    {
        var input = Inputs(row, UsesVerdict, UsesFeatures);
        if (input.Length != _means.Length)
            throw new ArgumentException($"The row has {input.Length} inputs, the fit {_means.Length}.", nameof(row));
        Standardise(input, _means, _scales);
        var sum = _weights[0];
        for (var j = 0; j < input.Length; j++)
            sum += _weights[j + 1] * input[j];
        return Logistic.Share(sum);
    }

    static double[] Inputs(CalibrationRow row, bool verdict, bool features) =>
        [Logistic.LogOdds(row.Confidence, Edge), .. verdict ? [row.Judge ? 1.0 : 0] : Array.Empty<double>(),
            .. features ? row.Features : []];

    static void Standardise(double[] input, double[] means, double[] scales)
    {
        for (var j = 0; j < input.Length; j++)
            input[j] = scales[j] > 0 ? (input[j] - means[j]) / scales[j] : 0;
    }

    static double[] Newton(double[][] inputs, double[] targets, double[] counts, int width)
    {
        var size = width + 1;
        var weights = new double[size];
        var gradient = new double[size];
        var curvature = new double[size, size];
        var x = new double[size];
        for (var step = 0; step < Steps && inputs.Length > 0; step++)
        {
            Array.Clear(gradient);
            Array.Clear(curvature);
            for (var j = 1; j < size; j++)
            {
                gradient[j] = -weights[j];
                curvature[j, j] = 1;
            }
            for (var i = 0; i < inputs.Length; i++)
            {
                x[0] = 1;
                inputs[i].CopyTo(x, 1);
                double sum = 0;
                for (var j = 0; j < size; j++)
                    sum += weights[j] * x[j];
                var share = Logistic.Share(sum);
                for (var j = 0; j < size; j++)
                {
                    gradient[j] += counts[i] * (targets[i] - share) * x[j];
                    for (var k = 0; k <= j; k++)
                        curvature[j, k] += counts[i] * share * (1 - share) * x[j] * x[k];
                }
            }
            var move = CholeskySolve(curvature, gradient);
            double largest = 0;
            for (var j = 0; j < size; j++)
            {
                // A long step is cut: the curvature far from the optimum says little.
                weights[j] += Math.Clamp(move[j], -2, 2);
                largest = Math.Max(largest, Math.Abs(move[j]));
            }
            if (largest < 1e-10)
                break;
        }
        return weights;
    }

    /// <summary>Solves a symmetric positive definite system given by its lower half.</summary>
    static double[] CholeskySolve(double[,] matrix, double[] right)
    {
        var n = right.Length;
        var lower = new double[n, n];
        for (var i = 0; i < n; i++)
            for (var j = 0; j <= i; j++)
            {
                var sum = matrix[i, j] + (i == j ? 1e-9 : 0);
                for (var k = 0; k < j; k++)
                    sum -= lower[i, k] * lower[j, k];
                lower[i, j] = i == j ? Math.Sqrt(Math.Max(sum, 1e-12)) : sum / lower[j, j];
            }
        var solution = new double[n];
        for (var i = 0; i < n; i++)
        {
            solution[i] = right[i];
            for (var k = 0; k < i; k++)
                solution[i] -= lower[i, k] * solution[k];
            solution[i] /= lower[i, i];
        }
        for (var i = n - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < n; k++)
                solution[i] -= lower[k, i] * solution[k];
            solution[i] /= lower[i, i];
        }
        return solution;
    }
}
