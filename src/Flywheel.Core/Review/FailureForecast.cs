using System.Numerics;
using Flywheel.Core.Statistics;

namespace Flywheel.Core.Review;

/// <summary>What is known of a judged item before a person looks at it.</summary>
/// <param name="Vectors">Unit vectors of its texts (input, output), one length for all items; a missing text is the zero vector.</param>
/// <param name="Features">Numbers on any scale, as many for each item: <see cref="Of"/> has the usual ones.</param>
public sealed record ForecastItem(IReadOnlyList<float[]> Vectors, IReadOnlyList<double> Features)
{
    /// <param name="verdict">The judge's; null when it was unsure or not asked.</param>
    /// <param name="confidence">The judge's; null when it gave none.</param>
    public static ForecastItem Of(
        string? input, float[] inputVector, string? output, float[] outputVector, bool? verdict, double? confidence)
    {
        var letters = Math.Max(1, output?.Length ?? 0);
        double cosine = 0;
        for (var i = 0; i < inputVector.Length; i++)
            cosine += inputVector[i] * outputVector[i];
        return new ForecastItem(
            [inputVector, outputVector],
            [
                Math.Log(1 + (input?.Length ?? 0)), Math.Log(1 + (output?.Length ?? 0)),
                (output ?? "").Count(char.IsAsciiDigit) / (double)letters, cosine,
                verdict is { } it ? (it ? -1 : 1) * Logistic.LogOdds(Math.Max(0.5, confidence ?? 0.75), 0.01) : 0,
            ]);
    }
}

/// <summary>How likely a person would fail an item, learned from the labels so far.</summary>
/// <remarks>
/// Logistic regression on the texts' vectors, their lengths, how much output resembles input, and what the judge said. Weights have normal
/// priors: those of a unit vector such that its part of the log-odds has a variance of 8 beforehand (a Gaussian process with a cosine
/// kernel, Rasmussen and Williams 2006, section 3.4), those of standardised features 1. Newton steps by conjugate gradients; 1,000 labels
/// of 1,024
/// dimensions take some tenths of a second.
/// </remarks>
public sealed class FailureForecast
{
    const double VectorVariance = 8;
    const int NewtonSteps = 12;
    const int GradientSteps = 40;

    readonly int _width;
    readonly double[] _means;
    readonly double[] _scales;
    readonly float[] _weights;

    FailureForecast(int width, double[] means, double[] scales, float[] weights) =>
        (_width, _means, _scales, _weights) = (width, means, scales, weights);

    /// <param name="labelled">At least one; items of one form.</param>
    /// <param name="failed">What people said of each, in the same order.</param>
    public static FailureForecast Fit(IReadOnlyList<ForecastItem> labelled, IReadOnlyList<bool> failed)
    {
        ArgumentOutOfRangeException.ThrowIfZero(labelled.Count);
        ArgumentOutOfRangeException.ThrowIfNotEqual(failed.Count, labelled.Count);
        var width = labelled[0].Vectors.Sum(vector => vector.Length);
        var features = labelled[0].Features.Count;
        double[] means = new double[features], scales = new double[features];
        for (var j = 0; j < features; j++)
        {
            means[j] = labelled.Average(item => item.Features[j]);
            var variance = labelled.Average(item => (item.Features[j] - means[j]) * (item.Features[j] - means[j]));
            scales[j] = variance > 1e-12 ? Math.Sqrt(variance) : 0;
        }
        var fit = new FailureForecast(width, means, scales, new float[width + features + 1]);
        var rows = labelled.Select(fit.Row).ToArray();
        // The intercept starts at the share of failures, one of each kind added, and is hardly held.
        fit._weights[^1] = (float)Logistic.LogOdds((failed.Count(it => it) + 1.0) / (failed.Count + 2), 1e-6);
        var precision = new float[fit._weights.Length];
        Array.Fill(precision, (float)(labelled[0].Vectors.Count / VectorVariance), 0, width);
        Array.Fill(precision, 1f, width, features);
        precision[^1] = 0.05f;
        fit.Climb(rows, failed, precision, fit._weights[^1]);
        return fit;
    }

    /// <summary>P(a person fails it), in (0, 1).</summary>
    public double Of(ForecastItem item) => Logistic.Share(Dot(_weights, Row(item)));

    void Climb(float[][] rows, IReadOnlyList<bool> failed, float[] precision, float start)
    {
        var size = _weights.Length;
        var curvature = new float[rows.Length];
        for (var step = 0; step < NewtonSteps; step++)
        {
            var gradient = new float[size];
            for (var j = 0; j < size; j++)
                gradient[j] = -precision[j] * (j == size - 1 ? _weights[j] - start : _weights[j]);
            for (var i = 0; i < rows.Length; i++)
            {
                var share = (float)Logistic.Share(Dot(_weights, rows[i]));
                curvature[i] = share * (1 - share);
                Add(gradient, (failed[i] ? 1 : 0) - share, rows[i]);
            }
            var move = Solve(rows, curvature, precision, gradient);
            for (var j = 0; j < size; j++)
                _weights[j] += move[j];
            if (Dot(move, move) < 1e-8)
                break;
        }
    }

    /// <summary>Conjugate gradients, preconditioned by the priors.</summary>
    static float[] Solve(float[][] rows, float[] curvature, float[] precision, float[] right)
    {
        var size = right.Length;
        float[] solution = new float[size], rest = [.. right], direction = new float[size], image = new float[size];
        for (var j = 0; j < size; j++)
            direction[j] = rest[j] / precision[j];
        var strength = Weighted(rest, precision);
        var enough = strength * 1e-8;
        for (var step = 0; step < GradientSteps && strength > enough; step++)
        {
            for (var j = 0; j < size; j++)
                image[j] = precision[j] * direction[j];
            for (var i = 0; i < rows.Length; i++)
                Add(image, curvature[i] * Dot(rows[i], direction), rows[i]);
            var length = (float)(strength / Dot(direction, image));
            for (var j = 0; j < size; j++)
            {
                solution[j] += length * direction[j];
                rest[j] -= length * image[j];
            }
            var next = Weighted(rest, precision);
            var keep = (float)(next / strength);
            for (var j = 0; j < size; j++)
                direction[j] = rest[j] / precision[j] + keep * direction[j];
            strength = next;
        }
        return solution;
    }

    float[] Row(ForecastItem item)
    {
        var row = new float[_weights.Length];
        var at = 0;
        foreach (var vector in item.Vectors)
        {
            vector.CopyTo(row, at);
            at += vector.Length;
        }
        if (at != _width || item.Features.Count != _means.Length)
            throw new ArgumentException(
                $"The item has {at} dimensions and {item.Features.Count} features, the fit {_width} and {_means.Length}.", nameof(item));
        for (var j = 0; j < _means.Length; j++)
            row[at + j] = _scales[j] > 0 ? (float)Math.Clamp((item.Features[j] - _means[j]) / _scales[j], -5, 5) : 0;
        row[^1] = 1;
        return row;
    }

    static double Weighted(float[] values, float[] precision)
    {
        double sum = 0;
        for (var j = 0; j < values.Length; j++)
            sum += values[j] * values[j] / precision[j];
        return sum;
    }

    static float Dot(float[] a, float[] b)
    {
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= a.Length - Vector<float>.Count; i += Vector<float>.Count)
            sum += new Vector<float>(a, i) * new Vector<float>(b, i);
        var total = Vector.Sum(sum);
        for (; i < a.Length; i++)
            total += a[i] * b[i];
        return total;
    }

    static void Add(float[] to, float factor, float[] row)
    {
        var i = 0;
        for (; i <= to.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(to, i) + factor * new Vector<float>(row, i)).CopyTo(to, i);
        for (; i < to.Length; i++)
            to[i] += factor * row[i];
    }
}
