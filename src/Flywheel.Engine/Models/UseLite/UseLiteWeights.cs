namespace Flywheel.Engine.Models.UseLite;

/// <summary>Everything that was learned: 8,000 pieces, their embeddings, two transformer layers, the last layer.</summary>
/// <param name="Timescales">128 angular frequencies of the position signal, radians a token.</param>
/// <param name="Embeddings">A row of 256 signed bytes a piece; two spare rows at the end.</param>
/// <param name="EmbeddingScales">What one step is worth, a row each.</param>
/// <param name="Widen">256 to 512: carries the residual past the first layer, whose output is wider than its input.</param>
/// <param name="Output">512 to 512, before the tanh.</param>
internal sealed record UseLiteWeights(
    IReadOnlyList<(string Text, double Score)> Vocabulary,
    float[] Timescales,
    sbyte[] Embeddings,
    float[] EmbeddingScales,
    QuantizedMatrix Widen,
    UseLiteLayer First,
    UseLiteLayer Second,
    QuantizedMatrix Output)
{
    /// <summary>Length of a piece's embedding.</summary>
    public const int Narrow = 256;

    /// <summary>Length of a text's vector.</summary>
    public const int Wide = 512;
}

/// <param name="QueryKeyValue">Attention inputs, in that order along the outputs.</param>
/// <param name="Combine">The four heads' results, side by side, to the layer's width.</param>
internal sealed record UseLiteLayer(
    LayerNorm BeforeAttention,
    QuantizedMatrix QueryKeyValue,
    QuantizedMatrix Combine,
    LayerNorm BeforeFeedForward,
    QuantizedMatrix Expand,
    QuantizedMatrix Contract);

/// <summary>Shifts and scales each row to mean 0 and variance 1, then to learned ones.</summary>
internal sealed record LayerNorm(float[] Scale, float[] Bias)
{
    private const float Epsilon = 1e-6f;

    public void Apply(ReadOnlySpan<float> from, int rows, Span<float> to)
    {
        var width = Scale.Length;
        for (var row = 0; row < rows; row++)
        {
            var x = from.Slice(row * width, width);
            var y = to.Slice(row * width, width);
            double sum = 0, squares = 0;
            foreach (var value in x)
                sum += value;
            var mean = sum / width;
            foreach (var value in x)
                squares += (value - mean) * (value - mean);
            var factor = (float)(1 / Math.Sqrt(squares / width + Epsilon));
            for (var i = 0; i < width; i++)
                y[i] = (x[i] - (float)mean) * factor * Scale[i] + Bias[i];
        }
    }
}
