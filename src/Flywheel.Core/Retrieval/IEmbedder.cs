namespace Flywheel.Core.Retrieval;

/// <summary>Turns texts into unit vectors whose inner product is their similarity.</summary>
/// <remarks>
/// Documents and queries may be embedded differently (the lexical embedder weights queries only), so ask for the
/// right one: a stored demonstration is a document, the input at hand is a query.
/// </remarks>
public interface IEmbedder
{
    /// <summary>
    /// Names everything that shapes a vector (provider, model, file hash, dimensions, tokenizer). Stored with every
    /// vector; vectors of different fingerprints are never compared.
    /// </summary>
    string Fingerprint { get; }

    /// <summary>Length of every vector this embedder returns; 1 or more.</summary>
    int Dimensions { get; }

    /// <summary>One L2-normalised vector a text, in the order given; an empty text gives the zero vector.</summary>
    ValueTask<float[][]> EmbedDocumentsAsync(IReadOnlyList<string> texts, CancellationToken ct);

    /// <summary>The L2-normalised vector of a query; an empty text gives the zero vector.</summary>
    /// <param name="lexicon">
    /// Word statistics of the index partition that will be searched; null when none are kept. Embedders that do not
    /// weight by frequency ignore it.
    /// </param>
    ValueTask<float[]> EmbedQueryAsync(string text, Lexicon? lexicon, CancellationToken ct);
}
