namespace Flywheel.Engine.Models.Onnx;

/// <summary>How a BERT-style sentence model is to be used; its model card says.</summary>
/// <param name="ModelPath">The `model.onnx`.</param>
/// <param name="VocabularyPath">The `vocab.txt`, one word piece a line.</param>
/// <param name="QueryPrefix">Put before a query, not before a document; empty for none.</param>
/// <param name="MaxTokens">Longer texts are cut; 3 or more, with the two that mark begin and end.</param>
/// <param name="Cased">False folds case and accents, as uncased models expect.</param>
public sealed record OnnxEmbedderOptions(
    string ModelPath,
    string VocabularyPath,
    Pooling Pooling = Pooling.Mean,
    string QueryPrefix = "",
    int MaxTokens = 256,
    bool Cased = false);

/// <summary>How the vectors of a text's tokens become one.</summary>
public enum Pooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>That of the first token.</summary>
    Cls,
}
