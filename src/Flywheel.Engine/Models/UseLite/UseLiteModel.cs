using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>Universal Sentence Encoder lite: a text becomes a unit vector of 512 dimensions that carries its meaning.</summary>
/// <remarks>
/// Cer et al., arXiv 1803.11175: two transformer layers, the mean over tokens, tanh. As in the original, the first
/// layer sees twice a piece's embedding plus the position signal, case is kept, and only the first 128 pieces (some
/// 510 characters of English) count. Weights are signed bytes, activations floats. Thread-safe; scratch is pooled.
/// </remarks>
internal sealed class UseLiteModel
{
    public const int MaxPieces = 128;
    private const int Narrow = UseLiteWeights.Narrow, Wide = UseLiteWeights.Wide;
    private const int Heads = 4;

    private readonly UseLiteWeights _weights;
    private readonly UnigramTokenizer _tokenizer;
    private readonly float[] _position = new float[MaxPieces * Narrow];

    public UseLiteModel(UseLiteWeights weights)
    {
        _weights = weights;
        _tokenizer = new(weights.Vocabulary);
        for (var at = 0; at < MaxPieces; at++)
        {
            for (var i = 0; i < Narrow / 2; i++)
            {
                var (sin, cos) = MathF.SinCos(at * weights.Timescales[i]);
                _position[at * Narrow + i] = sin;
                _position[at * Narrow + Narrow / 2 + i] = cos;
            }
        }
    }

    /// <summary>Piece ids, uncut.</summary>
    public int[] Pieces(string text) => _tokenizer.Encode(text);

    /// <summary>The zero vector for an empty text, otherwise a unit vector.</summary>
    public float[] Embed(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        // A piece is 16 characters at most and no piece is empty: what lies behind cannot reach the first 128.
        var pieces = _tokenizer.Encode(text.Length > MaxCharacters ? text[..MaxCharacters] : text);
        var vector = new float[Wide];
        if (pieces.Length == 0)
            return vector;

        var rows = Math.Min(pieces.Length, MaxPieces);
        var pool = ArrayPool<float>.Shared;
        var scratch = pool.Rent(rows * Scratch.Width);
        try
        {
            Encode(pieces.AsSpan(0, rows), new Scratch(scratch, rows), vector);
        }
        finally
        {
            pool.Return(scratch);
        }

        return vector;
    }

    // Runs of unknown characters merge into one piece, so the cut is generous; it bounds the work on a huge input.
    private const int MaxCharacters = 32 * 1024;

    private void Encode(ReadOnlySpan<int> pieces, Scratch s, Span<float> vector)
    {
        var rows = pieces.Length;
        for (var row = 0; row < rows; row++)
        {
            var scale = 2 * _weights.EmbeddingScales[pieces[row]];
            var embedding = _weights.Embeddings.AsSpan(pieces[row] * Narrow, Narrow);
            for (var i = 0; i < Narrow; i++)
                s.Input[row * Narrow + i] = scale * embedding[i] + _position[row * Narrow + i];
        }

        _weights.Widen.Multiply(s.Input, rows, s.State);
        Layer(_weights.First, s.Input, Narrow, rows, s);
        Layer(_weights.Second, s.State, Wide, rows, s);

        var mean = s.Normed[..Wide];
        mean.Clear();
        for (var row = 0; row < rows; row++)
            Add(mean, s.State.Slice(row * Wide, Wide));
        foreach (ref var value in mean)
            value /= rows;

        _weights.Output.Multiply(mean, 1, vector);
        var squares = 0.0;
        foreach (ref var value in vector)
        {
            value = MathF.Tanh(value);
            squares += (double)value * value;
        }

        var factor = (float)(1 / Math.Sqrt(Math.Max(squares, 1e-12)));
        foreach (ref var value in vector)
            value *= factor;
    }

    /// <summary>Adds what the layer makes of its input to the state.</summary>
    private static void Layer(UseLiteLayer layer, ReadOnlySpan<float> input, int width, int rows, Scratch s)
    {
        layer.BeforeAttention.Apply(input, rows, s.Normed);
        layer.QueryKeyValue.Multiply(s.Normed, rows, s.Hidden);
        Attend(s.Hidden, width, rows, s.Normed, s.Weights);
        layer.Combine.Multiply(s.Normed, rows, s.Hidden);
        Add(s.State, s.Hidden[..s.State.Length]);

        layer.BeforeFeedForward.Apply(s.State, rows, s.Normed);
        layer.Expand.Multiply(s.Normed, rows, s.Hidden, rectify: true);
        layer.Contract.Multiply(s.Hidden, rows, s.Normed);
        Add(s.State, s.Normed[..s.State.Length]);
    }

    /// <summary>Scaled dot-product attention of every row to every row, four heads.</summary>
    /// <param name="queryKeyValue">rows x (3 * width).</param>
    /// <param name="to">rows x width, the heads side by side.</param>
    private static void Attend(ReadOnlySpan<float> queryKeyValue, int width, int rows, Span<float> to, Span<float> weights)
    {
        int size = width / Heads, stride = 3 * width;
        var scale = 1 / MathF.Sqrt(size);
        for (var head = 0; head < Heads; head++)
        {
            for (var row = 0; row < rows; row++)
            {
                var query = queryKeyValue.Slice(row * stride + head * size, size);
                var largest = float.NegativeInfinity;
                for (var other = 0; other < rows; other++)
                {
                    weights[other] = scale * Dot(query, queryKeyValue.Slice(other * stride + width + head * size, size));
                    largest = Math.Max(largest, weights[other]);
                }

                var sum = 0f;
                for (var other = 0; other < rows; other++)
                    sum += weights[other] = MathF.Exp(weights[other] - largest);

                var result = to.Slice(row * width + head * size, size);
                result.Clear();
                for (var other = 0; other < rows; other++)
                    AddScaled(result, queryKeyValue.Slice(other * stride + 2 * width + head * size, size), weights[other] / sum);
            }
        }
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        var left = MemoryMarshal.Cast<float, Vector<float>>(a);
        var right = MemoryMarshal.Cast<float, Vector<float>>(b);
        var sum = Vector<float>.Zero;
        for (var i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        return Vector.Sum(sum);
    }

    private static void Add(Span<float> to, ReadOnlySpan<float> from) => AddScaled(to, from, 1);

    // Every width here is a multiple of every vector length.
    private static void AddScaled(Span<float> to, ReadOnlySpan<float> from, float factor)
    {
        var left = MemoryMarshal.Cast<float, Vector<float>>(to);
        var right = MemoryMarshal.Cast<float, Vector<float>>(from);
        for (var i = 0; i < left.Length; i++)
            left[i] += right[i] * factor;
    }

    /// <summary>The buffers of one pass, cut from one array.</summary>
    private readonly ref struct Scratch(float[] buffer, int rows)
    {
        public const int Width = Narrow + Wide + Wide + 3 * Wide + 1;

        public Span<float> Input { get; } = buffer.AsSpan(0, rows * Narrow);

        public Span<float> State { get; } = buffer.AsSpan(rows * Narrow, rows * Wide);

        public Span<float> Normed { get; } = buffer.AsSpan(rows * (Narrow + Wide), rows * Wide);

        public Span<float> Hidden { get; } = buffer.AsSpan(rows * (Narrow + 2 * Wide), rows * 3 * Wide);

        public Span<float> Weights { get; } = buffer.AsSpan(rows * (Narrow + 5 * Wide), rows);
    }
}
