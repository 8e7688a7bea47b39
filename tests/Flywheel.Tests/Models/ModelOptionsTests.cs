using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Offline;
using Flywheel.Engine.Models.Onnx;
using Microsoft.Extensions.AI;

namespace Flywheel.Tests.Models;

public sealed class ModelOptionsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-options-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Nothing_configured_is_the_offline_models()
    {
        using var models = new ModelRegistry(Read(("folder", _folder)));

        Assert.IsType<OfflineChatClient>(models.Chat());
        Assert.IsType<LexicalEmbedder>(models.Embedder());
        Assert.Equal("offline/nearest-neighbour", models.ModelId());
        Assert.Equal(0, models.Price().CostUsd(new() { InputTokenCount = 1_000_000 }));
    }

    [Fact]
    public void Models_of_one_group_share_one_limit_and_others_have_their_own()
    {
        (string, string)[] Model(string name, string rate, string? group) =>
        [
            ($"chat:{name}:kind", "ollama"), ($"chat:{name}:model", name), ($"chat:{name}:requests_per_second", rate),
            .. group is null ? Array.Empty<(string, string)>() : [($"chat:{name}:limit_group", group)],
        ];
        using var models = new ModelRegistry(
            Read([("folder", _folder), .. Model("small", "5", "acme"), .. Model("large", "5", "acme"), .. Model("own", "5", null)]));

        Pace PaceOf(string name) => ((PacedChatClient)models.Chat(name).GetService(typeof(PacedChatClient))!).Pace;
        var uneven = Assert.Throws<ModelSetupException>(() => Read([.. Model("small", "5", "acme"), .. Model("large", "6", "acme")]));

        Assert.Same(PaceOf("small"), PaceOf("large"));
        Assert.NotSame(PaceOf("small"), PaceOf("own"));
        Assert.Equal(10, models.WantedConcurrency);
        Assert.Contains("limit_group acme", uneven.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_installed_model_makes_the_default_embedder_the_hybrid()
    {
        await InstalledModels.UseLiteAsync();
        using var models = new ModelRegistry(Read(("folder", InstalledModels.Folder)));

        Assert.IsType<HybridEmbedder>(models.Embedder());
    }

    [Theory]
    [InlineData("hybrid")]
    [InlineData("use-lite")]
    public void A_configured_model_that_is_not_there_is_an_error_and_never_another_model(string provider)
    {
        using var models = new ModelRegistry(Read(("folder", _folder), ("embeddings:provider", provider)));

        var error = Assert.Throws<ModelSetupException>(models.Embedder);

        Assert.Contains(_folder, error.Message, StringComparison.Ordinal);
        Assert.Contains("flywheel models install use-lite", error.Message, StringComparison.Ordinal);
        Assert.Throws<ModelSetupException>(() => models.Chat("offline"));
    }

    [Fact]
    public void A_sole_chat_model_is_the_default_and_offline_stays_there()
    {
        var options = Read(("chat:judge:kind", "ollama"), ("chat:judge:model", "qwen3"));

        Assert.Equal("judge", options.Default);
        Assert.Equal(ChatProvider.Offline, options.Chat["offline"].Kind);
        Assert.Equal("offline", Read(
            ("chat:a:kind", "ollama"), ("chat:a:model", "x"), ("chat:b:kind", "ollama"), ("chat:b:model", "x")).Default);
    }

    [Fact]
    public void Case_hyphens_and_underscores_do_not_matter()
    {
        var options = Read(
            ("Chat:Judge:Kind", "OpenAI"), ("CHAT:JUDGE:API_KEY_ENV", "K"), ("chat:judge:Model", "m"), ("chat:judge:timeoutSeconds", "2.5"),
            ("Chat:Judge:InputUsdPerMillion", "0.25"), ("embeddings:provider", "UseLite"));

        var judge = options.Chat["judge"];
        Assert.Equal((ChatProvider.OpenAI, "K", TimeSpan.FromSeconds(2.5), 0.25),
            (judge.Kind, judge.ApiKeyEnv, judge.Timeout, judge.Price!.Input));
        Assert.Equal(EmbeddingProvider.UseLite, options.Embeddings.Provider);
    }

    [Fact]
    public void An_ONNX_model_is_described_in_full()
    {
        var options = Read(
            ("embeddings:provider", "onnx"), ("embeddings:model_path", "/m/model.onnx"), ("embeddings:vocab_path", "/m/vocab.txt"),
            ("embeddings:pooling", "cls"), ("embeddings:query_prefix", "query:"), ("embeddings:max_tokens", "512"),
            ("embeddings:cased", "true"));

        Assert.Equal(new OnnxEmbedderOptions("/m/model.onnx", "/m/vocab.txt", Pooling.Cls, "query: ", 512, Cased: true),
            options.Embeddings.Onnx);
    }

    [Theory]
    [InlineData("models.chat.m.kind is missing", "chat:m:model=x")]
    [InlineData("models.chat.m.kind is `gpt`: set one of offline, openai, anthropic, ollama", "chat:m:kind=gpt")]
    [InlineData("models.chat.m.model is missing", "chat:m:kind=ollama")]
    [InlineData("models.chat.m.api_key_env is missing", "chat:m:kind=openai", "chat:m:model=x")]
    [InlineData("models.chat.m.api_key and api_key_env are both set", "chat:m:kind=openai", "chat:m:model=x", "chat:m:api_key=a",
        "chat:m:api_key_env=b")]
    [InlineData("models.chat.m.endpoint is `ftp://x`", "chat:m:kind=ollama", "chat:m:model=x", "chat:m:endpoint=ftp://x")]
    [InlineData("models.chat.m.endpoint is `http://u:p@x`", "chat:m:kind=ollama", "chat:m:model=x", "chat:m:endpoint=http://u:p@x")]
    [InlineData("models.chat.m.timeout_seconds is `-1`", "chat:m:kind=ollama", "chat:m:model=x", "chat:m:timeout_seconds=-1")]
    [InlineData("models.chat.m.max_output_tokens is `1.5`: set a whole number", "chat:m:kind=ollama", "chat:m:model=x",
        "chat:m:max_output_tokens=1.5")]
    [InlineData("models.chat.m.api_kee is not a setting", "chat:m:kind=ollama", "chat:m:model=x", "chat:m:api_kee=s")]
    [InlineData("models.chat.offline.model is not a setting", "chat:offline:kind=offline", "chat:offline:model=x")]
    [InlineData("models.default names other", "default=other")]
    [InlineData("models.embeddings.provider is `bert`", "embeddings:provider=bert")]
    [InlineData("models.embeddings.dimensions is missing", "embeddings:provider=ollama", "embeddings:model=x")]
    [InlineData("models.embeddings.model_path is missing", "embeddings:provider=onnx")]
    [InlineData("models.embeddings.pooling is `max`", "embeddings:provider=onnx", "embeddings:model_path=a", "embeddings:vocab_path=b",
        "embeddings:pooling=max")]
    [InlineData("models.embeddings.model is not a setting", "embeddings:provider=lexical", "embeddings:model=x")]
    [InlineData("models.chatt is not a setting", "chatt=1")]
    public void A_wrong_setting_is_named_with_what_to_do(string expected, params string[] settings)
    {
        var error = Assert.Throws<ModelSetupException>(
            () => Read([.. settings.Select(setting => (setting.Split('=', 2)[0], setting.Split('=', 2)[1]))]));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_variable_that_is_not_set_stops_the_start()
    {
        var options = Read(("chat:m:kind", "openai"), ("chat:m:model", "x"), ("chat:m:api_key_env", "NO_SUCH_KEY"));

        var error = Assert.Throws<ModelSetupException>(() => new ModelRegistry(options, _ => null));

        Assert.Contains("models.chat.m.api_key_env names NO_SUCH_KEY", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_chat_model_is_named_with_those_that_there_are()
    {
        using var models = new ModelRegistry(Read(("chat:judge:kind", "ollama"), ("chat:judge:model", "x")));

        var error = Assert.Throws<ModelSetupException>(() => models.Chat("juge"));

        Assert.Contains("`juge`", error.Message, StringComparison.Ordinal);
        Assert.Contains("judge", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_do_not_show_their_keys()
    {
        var options = Read(("chat:m:kind", "openai"), ("chat:m:model", "x"), ("chat:m:api_key", "sk-secret-1"),
            ("embeddings:provider", "openai"), ("embeddings:model", "e"), ("embeddings:dimensions", "4"),
            ("embeddings:api_key", "sk-secret-2"));

        Assert.DoesNotContain("secret", $"{options.Chat["m"]} {options.Embeddings} {options}", StringComparison.Ordinal);
    }

    [Fact]
    public void One_client_is_shared_by_all_who_ask()
    {
        using var models = new ModelRegistry(Read(("chat:judge:kind", "ollama"), ("chat:judge:model", "x")));

        Assert.Same(models.Chat("judge"), models.Chat());
        Assert.Same(models.Chat("judge"), models.Chat("JUDGE"));
    }

    [Fact]
    public void Cached_input_has_its_own_price_when_there_is_one()
    {
        var usage = new UsageDetails { InputTokenCount = 1_000_000, CachedInputTokenCount = 400_000, OutputTokenCount = 100_000 };

        Assert.Equal(0.6 * 2 + 0.4 * 0.5 + 0.1 * 8, new ModelPrice(2, 8, CachedInput: 0.5).CostUsd(usage), precision: 9);
        Assert.Equal(2 + 0.1 * 8, new ModelPrice(2, 8).CostUsd(usage), precision: 9);
        Assert.Equal(0, new ModelPrice(2, 8).CostUsd(null));
    }

    [Theory]
    [InlineData("", 0)]
    [InlineData("hello world", 2)]
    [InlineData("The quick brown fox jumps over the lazy dog.", 10)]
    public void Tokens_are_counted_as_OpenAI_does(string text, int expected) => Assert.Equal(expected, new TokenCounter().Count(text));

    private static ModelOptions Read(params (string Name, string Value)[] settings) =>
        ModelOptions.Read(settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value)));
}
