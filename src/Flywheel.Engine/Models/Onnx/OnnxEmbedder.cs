using System.Security.Cryptography;
using Flywheel.Core;
using Flywheel.Core.Retrieval;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Microsoft.ML.Tokenizers;

namespace Flywheel.Engine.Models.Onnx;

/// <summary>Embeds with a BERT-style sentence model from a file (all-MiniLM-L6-v2, bge-small-en and their like).</summary>
/// <remarks>One text at a time on one thread, so that a vector does not depend on its batch. Thread-safe.</remarks>
public sealed class OnnxEmbedder : IEmbedder, IDisposable
{
    private const string Ids = "input_ids", Mask = "attention_mask", Types = "token_type_ids";

    private readonly OnnxEmbedderOptions _options;
    private readonly InferenceSession _session;
    private readonly BertTokenizer _tokenizer;
    private readonly RunOptions _run = new();
    private readonly string _output;

    private OnnxEmbedder(OnnxEmbedderOptions options, InferenceSession session, BertTokenizer tokenizer)
    {
        (_options, _session, _tokenizer) = (options, session, tokenizer);
        _output = session.OutputMetadata.FirstOrDefault(output => IsVectors(output.Value)).Key
            ?? throw new ModelSetupException($"{options.ModelPath} has no float output of two or three axes: it is no sentence model.");
        var unknown = session.InputMetadata.Keys.FirstOrDefault(name => name is not (Ids or Mask or Types));
        if (unknown is not null || !session.InputMetadata.ContainsKey(Ids))
            throw new ModelSetupException(
                $"{options.ModelPath} takes {string.Join(", ", session.InputMetadata.Keys)}; a BERT-style model takes {Ids}, {Mask} and "
                    + $"{Types}.");
        Dimensions = Run("dimensions").Length;
        Fingerprint =
            $"onnx/1;{Path.GetFileName(options.ModelPath)};sha256={Sha256(options.ModelPath)};d={Dimensions}"
            + $";pool={options.Pooling.ToString().ToLowerInvariant()};norm=l2;wordpiece,vocab={Sha256(options.VocabularyPath)[..16]}"
            + $",{(options.Cased ? "cased" : "uncased")},max={options.MaxTokens};query={options.QueryPrefix}";
    }

    public string Fingerprint { get; }

    public int Dimensions { get; }

    /// <param name="models">Where the native runtime was installed; null for <see cref="ModelFolder.Default"/>.</param>
    /// <exception cref="ModelSetupException">A file or the native runtime is missing, or the model is of another kind.</exception>
    public static OnnxEmbedder Open(OnnxEmbedderOptions options, string? models = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxTokens, 3);
        Exists(options.ModelPath, "model_path");
        Exists(options.VocabularyPath, "vocab_path");
        OnnxRuntimeLibrary.Require(models);

        InferenceSession? session = null;
        try
        {
            var tokenizer = BertTokenizer.Create(
                options.VocabularyPath,
                new BertOptions { LowerCaseBeforeTokenization = !options.Cased, RemoveNonSpacingMarks = !options.Cased });
            using var settings = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
            session = new(options.ModelPath, settings);
            return new(options, session, tokenizer);
        }
        catch (Exception e) when (e is OnnxRuntimeException or ArgumentException or InvalidOperationException or IOException)
        {
            session?.Dispose();
            throw new ModelSetupException($"{options.ModelPath} with {options.VocabularyPath} cannot be used: {e.Message}", e);
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    public async ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var vectors = new float[texts.Count][];
        for (var i = 0; i < vectors.Length; i++)
            vectors[i] = await EmbedAsync(texts[i], "", ct);
        return vectors;
    }

    public ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct) =>
        EmbedAsync(text, _options.QueryPrefix, ct);

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private ValueTask<float[]> EmbedAsync(string text, string prefix, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return ValueTask.FromResult(text.Length == 0 ? new float[Dimensions] : Run(prefix + text));
    }

    private float[] Run(string text)
    {
        var pieces = _tokenizer.EncodeToIds(
            _options.Cased ? text : UnicodeForms.WithoutMarks(text), _options.MaxTokens - 2, addSpecialTokens: false, out _, out _);
        long[] ids = [_tokenizer.ClassificationTokenId, .. pieces, _tokenizer.SeparatorTokenId];
        long[] shape = [1, ids.Length];
        var ones = new long[ids.Length];
        Array.Fill(ones, 1);

        using var idsValue = OrtValue.CreateTensorValueFromMemory(ids, shape);
        using var maskValue = OrtValue.CreateTensorValueFromMemory(ones, shape);
        using var typesValue = OrtValue.CreateTensorValueFromMemory(new long[ids.Length], shape);
        var inputs = _session.InputMetadata.Keys.ToDictionary(
            name => name, name => name == Ids ? idsValue : name == Mask ? maskValue : typesValue);
        using var outputs = _session.Run(_run, inputs, [_output]);
        return Pool(outputs[0].GetTensorDataAsSpan<float>(), outputs[0].GetTensorTypeAndShape().Shape);
    }

    /// <param name="shape">[1, tokens, dimensions], or [1, dimensions] when the model pools by itself.</param>
    private float[] Pool(ReadOnlySpan<float> values, long[] shape)
    {
        var vector = new float[shape[^1]];
        var tokens = shape.Length == 2 || _options.Pooling == Pooling.Cls ? 1 : (int)shape[1];
        for (var token = 0; token < tokens; token++)
            for (var i = 0; i < vector.Length; i++)
                vector[i] += values[token * vector.Length + i];
        VectorMath.Normalise(vector);
        return vector;
    }

    private static bool IsVectors(NodeMetadata output) =>
        output is { IsTensor: true, ElementDataType: TensorElementType.Float, Dimensions.Length: 2 or 3 };

    private static void Exists(string path, string setting)
    {
        if (!File.Exists(path))
            throw new ModelSetupException(
                $"embeddings.{setting} names {Path.GetFullPath(path)}, which does not exist. Put the file there or correct the setting.");
    }

    private static string Sha256(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
