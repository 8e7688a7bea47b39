using Flywheel.Engine.Models.Onnx;

namespace Flywheel.Engine.Models;

/// <summary>Reads one model's settings and says what does not go together.</summary>
internal static class ModelSettings
{
    private static readonly Dictionary<string, ChatProvider> Kinds = new()
    {
        ["offline"] = ChatProvider.Offline,
        ["openai"] = ChatProvider.OpenAI,
        ["anthropic"] = ChatProvider.Anthropic,
        ["ollama"] = ChatProvider.Ollama,
    };

    private static readonly Dictionary<string, StructuredOutput> Structured = new()
    {
        ["schema"] = StructuredOutput.Schema,
        ["json"] = StructuredOutput.Json,
        ["none"] = StructuredOutput.None,
    };

    private static readonly Dictionary<string, EmbeddingProvider> Providers = new()
    {
        ["auto"] = EmbeddingProvider.Auto,
        ["lexical"] = EmbeddingProvider.Lexical,
        ["hybrid"] = EmbeddingProvider.Hybrid,
        ["use-lite"] = EmbeddingProvider.UseLite,
        ["onnx"] = EmbeddingProvider.Onnx,
        ["openai"] = EmbeddingProvider.OpenAI,
        ["ollama"] = EmbeddingProvider.Ollama,
    };

    private static readonly Dictionary<string, Pooling> PoolingNames = new() { ["mean"] = Pooling.Mean, ["cls"] = Pooling.Cls };

    public static ChatModelOptions Chat(SettingReader settings)
    {
        var kind = settings.Choice("kind", Kinds, settings.Required("kind", $"set one of {string.Join(", ", Kinds.Keys)}"));
        if (kind == ChatProvider.Offline)
            return new(kind);

        var (endpoint, key, keyEnv) = Access(settings, kind is ChatProvider.OpenAI or ChatProvider.Anthropic);
        return new(
            kind,
            endpoint,
            key,
            keyEnv,
            settings.Required("model", "set the provider's name of the model"),
            new(
                settings.Number("input_usd_per_million", 0, 0, 10_000),
                settings.Number("output_usd_per_million", 0, 0, 10_000),
                settings.Number("cached_input_usd_per_million", -1, 0, 10_000) is >= 0 and var cached ? cached : null),
            settings.Seconds("timeout_seconds"),
            settings.Integer("max_output_tokens", 0, 1, 1_000_000) is > 0 and var most ? most : null,
            settings.Choice("structured_output", Structured, settings.Text("structured_output") ?? "schema"),
            settings.Number("requests_per_second", 0, 0.001, 10_000) is > 0 and var rate ? rate : null,
            settings.Text("limit_group"));
    }

    public static EmbeddingOptions Embeddings(SettingReader settings)
    {
        var provider = settings.Choice("provider", Providers, settings.Text("provider") ?? "auto");
        var options = new EmbeddingOptions(provider);
        if (provider is EmbeddingProvider.OpenAI or EmbeddingProvider.Ollama)
        {
            var (endpoint, key, keyEnv) = Access(settings, provider == EmbeddingProvider.OpenAI);
            return options with
            {
                Endpoint = endpoint,
                ApiKey = key,
                ApiKeyEnv = keyEnv,
                Model = settings.Required("model", "set the provider's name of the model"),
                Dimensions = settings.Integer("dimensions", 0, 1, 65_536) is > 0 and var dimensions
                    ? dimensions
                    : throw new ModelSetupException(
                        $"{settings.PathOf("dimensions")} is missing: set the length of the model's vectors, such as 1536."),
                QueryPrefix = settings.Text("query_prefix") is { } prefix ? prefix + " " : "",
                Batch = settings.Integer("batch", 64, 1, 2048),
                Timeout = settings.Seconds("timeout_seconds"),
            };
        }

        return provider == EmbeddingProvider.Onnx ? options with { Onnx = Onnx(settings) } : options;
    }

    private static OnnxEmbedderOptions Onnx(SettingReader settings) => new(
        settings.Required("model_path", "set the path of the model.onnx file"),
        settings.Required("vocab_path", "set the path of the vocab.txt that came with the model"),
        settings.Choice("pooling", PoolingNames, settings.Text("pooling") ?? "mean"),
        settings.Text("query_prefix") is { } prefix ? prefix + " " : "",
        settings.Integer("max_tokens", 256, 3, 8192),
        settings.Flag("cased", false));

    /// <param name="keyNeeded">At the provider's own endpoint; a server of one's own may want none.</param>
    private static (Uri? Endpoint, string? Key, string? KeyEnv) Access(SettingReader settings, bool keyNeeded)
    {
        var endpoint = settings.Url("endpoint");
        var (key, keyEnv) = (settings.Text("api_key"), settings.Text("api_key_env"));
        if (key is not null && keyEnv is not null)
            throw new ModelSetupException($"{settings.PathOf("api_key")} and api_key_env are both set: keep one.");
        if (keyNeeded && endpoint is null && key is null && keyEnv is null)
            throw new ModelSetupException(
                $"{settings.PathOf("api_key_env")} is missing: name the environment variable that holds the key.");
        return (endpoint, key, keyEnv);
    }
}
