using Flywheel.Core.Retrieval;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models.Http;

/// <summary>Embeds with a model behind an endpoint (OpenAI-compatible servers, Ollama, vLLM).</summary>
/// <remarks>Nothing is sent for an empty text. Faults travel to the caller: <see cref="ModelFault.From"/> reads them.</remarks>
public sealed class HttpEmbedder : IEmbedder, IDisposable
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> _generator;
    private readonly string _queryPrefix;
    private readonly int _batch;

    /// <param name="provider">Which kind of server, for the fingerprint.</param>
    /// <param name="model">The model's name there.</param>
    /// <param name="dimensions">Length of the model's vectors; a reply of another length is a fault.</param>
    /// <param name="queryPrefix">Put before a query, not before a document; empty for none.</param>
    /// <param name="batch">Texts a request at most.</param>
    public HttpEmbedder(
        IEmbeddingGenerator<string, Embedding<float>> generator, string provider, string model, int dimensions, string queryPrefix = "",
        int batch = 64)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        (_generator, _queryPrefix, _batch, Dimensions) = (generator, queryPrefix, batch, dimensions);
        Fingerprint = $"{provider}/1;{model};d={dimensions};norm=l2;query={queryPrefix}";
    }

    public string Fingerprint { get; }

    public int Dimensions { get; }

    public async ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(texts);
        var vectors = new float[texts.Count][];
        var written = Enumerable.Range(0, texts.Count).Where(i => texts[i].Length > 0).ToList();
        foreach (var batch in written.Chunk(_batch))
        {
            var embeddings = await _generator.GenerateAsync([.. batch.Select(i => texts[i])], cancellationToken: ct);
            if (embeddings.Count != batch.Length)
                throw new InvalidDataException($"The embedding model returned {embeddings.Count} vectors for {batch.Length} texts.");
            for (var i = 0; i < batch.Length; i++)
                vectors[batch[i]] = Unit(embeddings[i].Vector.Span);
        }

        for (var i = 0; i < vectors.Length; i++)
            vectors[i] ??= new float[Dimensions];
        return vectors;
    }

    public async ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(text);
        return (await EmbedDocumentsAsync([text.Length == 0 ? text : _queryPrefix + text], ct))[0];
    }

    public void Dispose() => _generator.Dispose();

    private float[] Unit(ReadOnlySpan<float> values)
    {
        if (values.Length != Dimensions)
            throw new InvalidDataException(
                $"The embedding model returned a vector of {values.Length} numbers; embeddings.dimensions says {Dimensions}.");
        foreach (var value in values)
            if (!float.IsFinite(value))
                throw new InvalidDataException("The embedding model returned a vector with a number that is not finite.");
        var vector = values.ToArray();
        VectorMath.Normalise(vector);
        return vector;
    }
}
