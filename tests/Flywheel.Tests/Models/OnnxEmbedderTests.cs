using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Onnx;

namespace Flywheel.Tests.Models;

/// <summary>On the real ONNX Runtime, with a model whose vectors can be computed by hand.</summary>
public sealed class OnnxEmbedderTests : IDisposable
{
    private static readonly string[] Vocabulary =
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "late", "parcel", "cafe", "query", ":", "Late"];

    private static readonly float[][] Table =
        [.. Vocabulary.Select((_, id) => new[] { id, MathF.Sin(id), MathF.Cos(3 * id), id * id / 20f })];

    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-onnx-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Mean_pooling_averages_the_tokens_of_the_text_and_its_marks()
    {
        using var embedder = await OpenAsync();

        var vector = (await embedder.EmbedDocumentsAsync(["late parcel"], Ct))[0];

        Close(Mean(2, 5, 6, 3), vector);
        Assert.Equal(4, embedder.Dimensions);
    }

    [Fact]
    public async Task Cls_pooling_takes_the_first_token()
    {
        using var embedder = await OpenAsync(options => options with { Pooling = Pooling.Cls });

        Close(Mean(2), (await embedder.EmbedDocumentsAsync(["late parcel"], Ct))[0]);
    }

    [Fact]
    public async Task A_query_gets_its_prefix()
    {
        using var embedder = await OpenAsync(options => options with { QueryPrefix = "query: " });

        Close(Mean(2, 8, 9, 5, 3), await embedder.EmbedQueryAsync("late", null, Ct));
        Close(Mean(2, 5, 3), (await embedder.EmbedDocumentsAsync(["late"], Ct))[0]);
    }

    [Fact]
    public async Task A_long_text_is_cut_at_the_token_limit()
    {
        using var embedder = await OpenAsync(options => options with { MaxTokens = 4 });

        Close(Mean(2, 5, 6, 3), (await embedder.EmbedDocumentsAsync(["late parcel cafe late late"], Ct))[0]);
    }

    [Theory]
    [InlineData(false, "LATE Café", 5, 7)]
    [InlineData(true, "Late cafe", 10, 7)]
    public async Task An_uncased_model_folds_case_and_accents_and_a_cased_one_does_not(bool cased, string text, int first, int second)
    {
        using var embedder = await OpenAsync(options => options with { Cased = cased });

        Close(Mean(2, first, second, 3), (await embedder.EmbedDocumentsAsync([text], Ct))[0]);
    }

    [Fact]
    public async Task An_empty_text_gives_the_zero_vector()
    {
        using var embedder = await OpenAsync();

        Assert.Equal(new float[4], await embedder.EmbedQueryAsync("", null, Ct));
    }

    [Fact]
    public async Task The_fingerprint_changes_with_the_file_and_every_option()
    {
        var seen = new HashSet<string>();
        foreach (var change in new Func<OnnxEmbedderOptions, OnnxEmbedderOptions>[]
        {
            options => options, options => options with { Pooling = Pooling.Cls }, options => options with { MaxTokens = 9 },
            options => options with { Cased = true }, options => options with { QueryPrefix = "q" },
        })
        {
            using var embedder = await OpenAsync(change);
            Assert.True(seen.Add(embedder.Fingerprint), embedder.Fingerprint);
        }

        Table[10][0] += 1;
        using var other = await OpenAsync();
        Table[10][0] -= 1;
        Assert.True(seen.Add(other.Fingerprint), other.Fingerprint);
    }

    [Theory]
    [InlineData("model.onnx", "embeddings.model_path")]
    [InlineData("vocab.txt", "embeddings.vocab_path")]
    public async Task A_missing_file_is_named_with_its_setting(string file, string setting)
    {
        await InstalledModels.OnnxRuntimeAsync();
        var options = Write();
        File.Delete(Path.Combine(_folder, file));

        var error = Assert.Throws<ModelSetupException>(() => OnnxEmbedder.Open(options, InstalledModels.Folder));

        Assert.Contains(setting, error.Message, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder, file), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_no_model_is_named()
    {
        await InstalledModels.OnnxRuntimeAsync();
        var options = Write();
        await File.WriteAllTextAsync(options.ModelPath, "version https://git-lfs.github.com/spec/v1", Ct);

        var error = Assert.Throws<ModelSetupException>(() => OnnxEmbedder.Open(options, InstalledModels.Folder));

        Assert.Contains(options.ModelPath, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_model_with_other_inputs_says_which_it_takes()
    {
        await InstalledModels.OnnxRuntimeAsync();
        var options = Write("pixels");

        var error = Assert.Throws<ModelSetupException>(() => OnnxEmbedder.Open(options, InstalledModels.Folder));

        Assert.Contains("takes pixels", error.Message, StringComparison.Ordinal);
    }

    private async Task<OnnxEmbedder> OpenAsync(Func<OnnxEmbedderOptions, OnnxEmbedderOptions>? change = null)
    {
        await InstalledModels.OnnxRuntimeAsync();
        var options = Write("input_ids", "attention_mask", "token_type_ids");
        return OnnxEmbedder.Open(change?.Invoke(options) ?? options, InstalledModels.Folder);
    }

    private OnnxEmbedderOptions Write(params string[] inputs)
    {
        var model = Path.Combine(_folder, "model.onnx");
        var vocabulary = Path.Combine(_folder, "vocab.txt");
        File.WriteAllBytes(model, TinyOnnxModel.Write(Table, inputs.Length == 0 ? ["input_ids"] : inputs));
        File.WriteAllLines(vocabulary, Vocabulary);
        return new(model, vocabulary);
    }

    private static float[] Mean(params int[] ids)
    {
        float[] mean = [.. Enumerable.Range(0, 4).Select(i => ids.Average(id => Table[id][i]))];
        VectorMath.Normalise(mean);
        return mean;
    }

    private static void Close(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], tolerance: 1e-5f);
    }
}
