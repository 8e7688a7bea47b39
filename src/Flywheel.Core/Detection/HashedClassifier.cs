using Flywheel.Core.Retrieval;

namespace Flywheel.Core.Detection;

/// <summary>A logistic classifier over hashed words, word pairs and runs of 3 to 5 characters, its weights in one byte each.</summary>
/// <remarks>
/// Features are those of <see cref="TextFeatures"/>, each counted once and the vector scaled to length 1, so that a long text
/// weighs its evidence instead of summing it up. Immutable and thread-safe.
/// </remarks>
/// <param name="weights">A power of two of them: a feature's weight stands where its hash points.</param>
/// <param name="scale">What one step of a weight is worth.</param>
/// <param name="intercept">Log-odds of a text without a feature.</param>
public sealed class HashedClassifier(sbyte[] weights, float scale, float intercept)
{
    // By FeatureKind: whole words say more than the runs inside them, which are many.
    private static readonly float[] KindWeights = [1f, 1f, 0.5f, 0.5f, 0.5f];

    public ReadOnlySpan<sbyte> Weights => weights;

    public float Scale => scale;

    public float Intercept => intercept;

    /// <summary>Log-odds that the text is of the class learned as positive.</summary>
    public double LogOdds(ReadOnlySpan<char> text)
    {
        var sum = 0.0;
        var squares = 0.0;
        foreach (var feature in TextFeatures.Of(text))
        {
            var value = KindWeights[(int)TextFeatures.Kind(feature)];
            sum += value * weights[Place(feature, weights.Length)];
            squares += value * value;
        }
        return squares == 0 ? intercept : intercept + scale * sum / Math.Sqrt(squares);
    }

    internal static int Place(ulong feature, int size) => (int)(feature >> 20) & (size - 1);

    internal static float KindWeight(ulong feature) => KindWeights[(int)TextFeatures.Kind(feature)];
}
