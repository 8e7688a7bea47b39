using Flywheel.Core.Retrieval;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>Embeds by meaning with Universal Sentence Encoder lite, in managed code: 512 dimensions.</summary>
/// <remarks>English; the first 128 pieces (about 510 characters) count. Thread-safe; some 10 MB of memory.</remarks>
public sealed class UseLiteEmbedder : IEmbedder
{
    private readonly UseLiteModel _model;

    private UseLiteEmbedder(UseLiteModel model, string sha256)
    {
        _model = model;
        Fingerprint = $"use-lite/1;sha256={sha256};d={Dimensions};pool=mean+tanh;norm=l2;unigram+nfkc,cased,max={UseLiteModel.MaxPieces}";
    }

    public string Fingerprint { get; }

    public int Dimensions => UseLiteWeights.Wide;

    /// <param name="models">The folder of models; null for <see cref="ModelFolder.Default"/>.</param>
    /// <exception cref="ModelSetupException">The model is not installed there, or its file is damaged.</exception>
    public static UseLiteEmbedder Open(string? models = null)
    {
        var path = UseLiteInstaller.PathIn(models);
        if (!File.Exists(path))
            throw new ModelSetupException(
                $"USE-lite is configured but not installed: {path} does not exist. Run `flywheel models install use-lite`, "
                + $"or set {ModelFolder.DataVariable} to the folder that has it.");
        try
        {
            var (weights, sha256) = UseLiteFile.Read(path);
            return new(new(weights), sha256);
        }
        catch (InvalidDataException e)
        {
            throw new ModelSetupException(e.Message, e);
        }
    }

    /// <summary>A unit vector; the zero vector for an empty text. Documents and queries are embedded alike.</summary>
    public float[] Embed(string text) => _model.Embed(text);

    public ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var vectors = new float[texts.Count][];
        for (var i = 0; i < vectors.Length; i++)
        {
            ct.ThrowIfCancellationRequested();
            vectors[i] = Embed(texts[i]);
        }

        return ValueTask.FromResult(vectors);
    }

    public ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Embed(text));
    }

    internal int[] Pieces(string text) => _model.Pieces(text);
}
