namespace Flywheel.Engine.Models;

public enum ChatProvider
{
    /// <summary>The in-context nearest neighbour: no network, no file.</summary>
    Offline,

    /// <summary>OpenAI, or any server that speaks its API (vLLM, llama.cpp, LiteLLM, gateways).</summary>
    OpenAI,

    Anthropic,

    /// <summary>A local Ollama, through its OpenAI-compatible API.</summary>
    Ollama,
}

/// <summary>How a model is held to the form of a reply.</summary>
public enum StructuredOutput
{
    /// <summary>By a JSON schema, which the provider enforces.</summary>
    Schema,

    /// <summary>By the provider's JSON mode: some JSON, whatever its shape.</summary>
    Json,

    /// <summary>By the prompt alone.</summary>
    None,
}

/// <summary>One chat model by the name it is called by.</summary>
/// <param name="Endpoint">Base URL; null for the provider's own.</param>
/// <param name="ApiKeyEnv">Environment variable that holds the key; null when the key is given.</param>
/// <param name="Model">The provider's name of the model; the offline model has one name only.</param>
/// <param name="Timeout">For a whole reply, or between two pieces of a stream.</param>
/// <param name="MaxOutputTokens">Default for calls that set none; null for the provider's.</param>
/// <param name="Structured">What the provider can enforce of a judge's reply.</param>
/// <param name="RequestsPerSecond">Calls that this process starts in any second at most; null for no limit.</param>
/// <param name="LimitGroup">Models of one group share one limit, as those of one account at a provider do; null for a limit of its
/// own.</param>
public sealed record ChatModelOptions(
    ChatProvider Kind,
    Uri? Endpoint = null,
    string? ApiKey = null,
    string? ApiKeyEnv = null,
    string? Model = null,
    ModelPrice? Price = null,
    TimeSpan? Timeout = null,
    int? MaxOutputTokens = null,
    StructuredOutput Structured = StructuredOutput.Schema,
    double? RequestsPerSecond = null,
    string? LimitGroup = null)
{
    public static TimeSpan DefaultTimeout { get; } = TimeSpan.FromSeconds(100);

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"{Kind} {Model} {Endpoint}";
}
