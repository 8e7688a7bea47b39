using Flywheel.Engine.Models.Onnx;

namespace Flywheel.Engine.Models;

public enum EmbeddingProvider
{
    /// <summary>Hybrid where USE-lite is installed, lexical where not: the default while nothing is configured.</summary>
    Auto,
    Lexical,
    Hybrid,
    UseLite,
    Onnx,
    OpenAI,
    Ollama,
}

/// <summary>How texts become vectors.</summary>
/// <param name="Endpoint">Base URL; null for the provider's own.</param>
/// <param name="Dimensions">Of the model's vectors: openai and ollama only; 0 when not set.</param>
/// <param name="Onnx">Files and pooling; null unless the provider is onnx.</param>
public sealed record EmbeddingOptions(
    EmbeddingProvider Provider = EmbeddingProvider.Auto,
    Uri? Endpoint = null,
    string? ApiKey = null,
    string? ApiKeyEnv = null,
    string? Model = null,
    int Dimensions = 0,
    string QueryPrefix = "",
    int Batch = 64,
    TimeSpan? Timeout = null,
    OnnxEmbedderOptions? Onnx = null)
{
    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"{Provider} {Model} {Endpoint}";
}
