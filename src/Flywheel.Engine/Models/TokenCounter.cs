using Flywheel.Core.Metrics;
using Microsoft.ML.Tokenizers;

namespace Flywheel.Engine.Models;

/// <summary>Counts tokens as the current OpenAI models do (o200k_base); for other models it is an estimate.</summary>
/// <remarks>The vocabulary (200,000 entries) is loaded by the first count. Thread-safe.</remarks>
public sealed class TokenCounter : ITokenCounter
{
    private static readonly Lazy<TiktokenTokenizer> Shared = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"));

    private readonly Lazy<TiktokenTokenizer> _tokenizer = Shared;

    public string Name { get; } = "o200k_base";

    /// <summary>0 for an empty text.</summary>
    public int Count(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _tokenizer.Value.CountTokens(text);
    }
}
