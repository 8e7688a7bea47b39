using Flywheel.Core.Retrieval;

namespace Flywheel.Core.Detection;

/// <param name="Weight">How much the row counts; 1 is ordinary.</param>
public readonly record struct TrainingText(string Text, bool IsPositive, float Weight = 1);

/// <summary>Learns a <see cref="HashedClassifier"/> from texts.</summary>
/// <remarks>
/// FTRL-Proximal (McMahan et al., KDD 2013): a step size of its own for each weight, L1 so that rare features stay out, L2
/// against overconfidence. Rows are visited in an order drawn from the seed: the same rows and seed give the same weights.
/// </remarks>
public static class ClassifierTraining
{
    private const float Step = 0.5f;
    private const float Beta = 1f;

    /// <param name="size">Weights; a power of two.</param>
    /// <param name="l1">Higher: fewer weights that are not 0.</param>
    /// <param name="l2">Higher: smaller weights.</param>
    /// <exception cref="ArgumentException">One of the classes has no row.</exception>
    public static HashedClassifier Train(
        IReadOnlyList<TrainingText> rows, int size = 1 << 18, int rounds = 6, float l1 = 0.3f, float l2 = 1f, ulong seed = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (size < 2 || (size & (size - 1)) != 0)
            throw new ArgumentException("The number of weights must be a power of two.", nameof(size));
        if (rows.All(row => row.IsPositive) || !rows.Any(row => row.IsPositive))
            throw new ArgumentException("Both classes need rows.", nameof(rows));

        var bags = rows.Select(row => Bag(row.Text, size)).ToArray();
        var learner = new Learner(size, l1, l2);
        var order = Enumerable.Range(0, rows.Count).ToArray();
        for (var round = 0; round < rounds; round++)
        {
            Shuffle(order, ref seed);
            foreach (var i in order)
                learner.Learn(bags[i], rows[i].IsPositive, rows[i].Weight);
        }
        return Quantise(learner.Weights(), learner.Intercept);
    }

    private static (int[] Places, float[] Values) Bag(string text, int size)
    {
        var features = TextFeatures.Of(text);
        var places = new int[features.Length];
        var values = new float[features.Length];
        var squares = 0.0;
        for (var i = 0; i < features.Length; i++)
        {
            places[i] = HashedClassifier.Place(features[i], size);
            values[i] = HashedClassifier.KindWeight(features[i]);
            squares += (double)values[i] * values[i];
        }
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(values[i] / Math.Sqrt(squares));
        return (places, values);
    }

    private static HashedClassifier Quantise(float[] weights, float intercept)
    {
        var largest = weights.Max(Math.Abs);
        var scale = largest == 0 ? 1 : largest / 127;
        return new([.. weights.Select(weight => (sbyte)MathF.Round(weight / scale))], scale, intercept);
    }

    /// <summary>Fisher and Yates with SplitMix64, whose stream does not change between platforms and releases.</summary>
    private static void Shuffle(int[] order, ref ulong seed)
    {
        for (var i = order.Length - 1; i > 0; i--)
        {
            seed += 0x9E37_79B9_7F4A_7C15;
            var draw = (seed ^ (seed >> 30)) * 0xBF58_476D_1CE4_E5B9;
            draw = (draw ^ (draw >> 27)) * 0x94D0_49BB_1331_11EB;
            draw ^= draw >> 31;
            var other = (int)(draw % (ulong)(i + 1));
            (order[i], order[other]) = (order[other], order[i]);
        }
    }

    private sealed class Learner(int size, float l1, float l2)
    {
        private readonly float[] _gradients = new float[size];
        private readonly float[] _squares = new float[size];
        private double _interceptSquares = 1;

        public float Intercept { get; private set; }

        public void Learn((int[] Places, float[] Values) bag, bool positive, float weight)
        {
            var odds = (double)Intercept;
            for (var i = 0; i < bag.Places.Length; i++)
                odds += Weight(bag.Places[i]) * bag.Values[i];
            var error = (float)(1 / (1 + Math.Exp(-odds)) - (positive ? 1 : 0)) * weight;
            for (var i = 0; i < bag.Places.Length; i++)
            {
                var place = bag.Places[i];
                var gradient = error * bag.Values[i];
                var before = _squares[place];
                var after = before + gradient * gradient;
                _gradients[place] += gradient - (MathF.Sqrt(after) - MathF.Sqrt(before)) / Step * Weight(place);
                _squares[place] = after;
            }
            _interceptSquares += error * error;
            Intercept -= (float)(0.1 * error / Math.Sqrt(_interceptSquares));
        }

        public float[] Weights() => [.. Enumerable.Range(0, size).Select(Weight)];

        private float Weight(int place)
        {
            var gradient = _gradients[place];
            return MathF.Abs(gradient) <= l1
                ? 0
                : -(gradient - MathF.Sign(gradient) * l1) / ((Beta + MathF.Sqrt(_squares[place])) / Step + l2);
        }
    }
}
