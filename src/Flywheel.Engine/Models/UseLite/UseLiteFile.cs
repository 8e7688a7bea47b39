using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>The installed form of the weights, about 7 MB: magic, vocabulary, then every part in one fixed order.</summary>
/// <remarks>Little-endian. Floats are IEEE single; a matrix is its scales, its bias, its bytes in panel order.</remarks>
internal static class UseLiteFile
{
    public const string Name = "use-lite.fwm";
    private const ulong Magic = 0x315F4554494C4557; // "WELITE_1"
    private const int Rows = 8002;

    public static void Write(Stream to, UseLiteWeights weights)
    {
        using var writer = new BinaryWriter(to, Encoding.UTF8, leaveOpen: true);
        writer.Write(Magic);
        writer.Write(weights.Vocabulary.Count);
        foreach (var (text, score) in weights.Vocabulary)
        {
            writer.Write(text);
            writer.Write(score);
        }

        Write(writer, weights.Timescales);
        Write(writer, weights.EmbeddingScales);
        writer.Write(MemoryMarshal.AsBytes(weights.Embeddings.AsSpan()));
        Write(writer, weights.Widen);
        Write(writer, weights.First);
        Write(writer, weights.Second);
        Write(writer, weights.Output);
    }

    /// <summary>The weights in a file and the file's SHA-256 in lower-case hex.</summary>
    /// <exception cref="InvalidDataException">The file is cut, damaged or of another format.</exception>
    public static (UseLiteWeights Weights, string Sha256) Read(string path)
    {
        var bytes = File.ReadAllBytes(path);
        try
        {
            return (Read(bytes), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
        catch (Exception e) when (e is EndOfStreamException or InvalidDataException or FormatException or ArgumentException)
        {
            throw new InvalidDataException(
                $"{path} is not a complete USE-lite model ({e.Message}). Delete it and run `flywheel models install use-lite`.", e);
        }
    }

    private static UseLiteWeights Read(byte[] bytes)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
        if (reader.ReadUInt64() != Magic)
            throw new InvalidDataException("it does not begin with the format's mark");
        var count = reader.ReadInt32();
        if (count is < 7 or > Rows)
            throw new InvalidDataException($"{count} vocabulary pieces");
        var vocabulary = new (string, double)[count];
        for (var i = 0; i < count; i++)
            vocabulary[i] = (reader.ReadString(), reader.ReadDouble());

        const int narrow = UseLiteWeights.Narrow, wide = UseLiteWeights.Wide;
        var timescales = Floats(reader, narrow / 2);
        var scales = Floats(reader, Rows);
        var weights = new UseLiteWeights(
            vocabulary,
            timescales,
            Bytes(reader, Rows * narrow),
            scales,
            Matrix(reader, narrow, wide),
            Layer(reader, narrow),
            Layer(reader, wide),
            Matrix(reader, wide, wide));
        if (reader.BaseStream.Position != bytes.Length)
            throw new InvalidDataException("something follows the last part");
        return weights;
    }

    private static UseLiteLayer Layer(BinaryReader reader, int width)
    {
        const int wide = UseLiteWeights.Wide;
        return new(
            new(Floats(reader, width), Floats(reader, width)),
            Matrix(reader, width, 3 * width),
            Matrix(reader, width, wide),
            new(Floats(reader, wide), Floats(reader, wide)),
            Matrix(reader, wide, 3 * wide),
            Matrix(reader, 3 * wide, wide));
    }

    private static QuantizedMatrix Matrix(BinaryReader reader, int inputs, int outputs)
    {
        var scales = Floats(reader, outputs);
        var bias = Floats(reader, outputs);
        return new(inputs, outputs, Bytes(reader, inputs * outputs), scales, bias);
    }

    private static float[] Floats(BinaryReader reader, int count)
    {
        var floats = new float[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(floats.AsSpan()));
        return floats;
    }

    private static sbyte[] Bytes(BinaryReader reader, int count)
    {
        var bytes = new sbyte[count];
        reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(bytes.AsSpan()));
        return bytes;
    }

    private static void Write(BinaryWriter writer, UseLiteLayer layer)
    {
        Write(writer, layer.BeforeAttention);
        Write(writer, layer.QueryKeyValue);
        Write(writer, layer.Combine);
        Write(writer, layer.BeforeFeedForward);
        Write(writer, layer.Expand);
        Write(writer, layer.Contract);
    }

    private static void Write(BinaryWriter writer, LayerNorm norm)
    {
        Write(writer, norm.Scale);
        Write(writer, norm.Bias);
    }

    private static void Write(BinaryWriter writer, QuantizedMatrix matrix)
    {
        Write(writer, matrix.Scales);
        Write(writer, matrix.Bias);
        writer.Write(MemoryMarshal.AsBytes(matrix.Weights));
    }

    private static void Write(BinaryWriter writer, ReadOnlySpan<float> floats) => writer.Write(MemoryMarshal.AsBytes(floats));
}
