using System.Collections.Concurrent;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Models.Http;
using Flywheel.Engine.Models.Offline;
using Flywheel.Engine.Models.Onnx;
using Flywheel.Engine.Models.UseLite;
using Microsoft.Extensions.AI;

namespace Flywheel.Engine.Models;

/// <summary>The configured models, made on first use and shared. Thread-safe.</summary>
public sealed class ModelRegistry : IDisposable
{
    private readonly ModelOptions _options;
    private readonly Func<string, string?> _environment;
    private readonly ConcurrentDictionary<string, Lazy<IChatClient>> _chat = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Pace> _groups = new(StringComparer.Ordinal);
    private readonly Lazy<IEmbedder> _embedder;
    private readonly TimeProvider _clock;

    /// <param name="environment">Reads an environment variable; null for the process's own.</param>
    /// <exception cref="ModelSetupException">A variable that should hold a key is not set.</exception>
    public ModelRegistry(ModelOptions options, Func<string, string?>? environment = null, TimeProvider? clock = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        (_options, _environment) = (options, environment ?? Environment.GetEnvironmentVariable);
        _embedder = new(MakeEmbedder);
        _clock = clock ?? TimeProvider.System;
        foreach (var (name, model) in options.Chat)
            Key(model.ApiKey, model.ApiKeyEnv, $"models.chat.{name}.api_key_env");
        Key(options.Embeddings.ApiKey, options.Embeddings.ApiKeyEnv, "models.embeddings.api_key_env");
    }

    /// <summary>Names that <see cref="Chat"/> knows.</summary>
    public IReadOnlyCollection<string> ChatNames => [.. _options.Chat.Keys];

    /// <summary>The name that null stands for.</summary>
    public string DefaultName => _options.Default;

    /// <summary>A shared client: do not dispose it. It retries nothing; <see cref="ModelFault.From"/> reads what it throws.</summary>
    /// <param name="name">Null for the default.</param>
    /// <exception cref="ModelSetupException">There is no model of that name.</exception>
    public IChatClient Chat(string? name = null)
    {
        var model = Find(name);
        return _chat.GetOrAdd(name ?? _options.Default, _ => new(() => Make(model))).Value;
    }

    /// <summary>The provider's name of a model, for records.</summary>
    public string ModelId(string? name = null) =>
        Find(name) is { Kind: not ChatProvider.Offline } model ? model.Model! : OfflineChatClient.Model;

    /// <summary>Whose API a model is called by, as the settings write it: <c>openai</c>.</summary>
    public string Provider(string? name = null) => Find(name).Kind.ToString().ToLowerInvariant();

    /// <summary>What a model charges; free when no price is configured.</summary>
    public ModelPrice Price(string? name = null) => Find(name).Price ?? ModelPrice.Free;

    /// <summary>Calls in flight that the limits of the models in use allow together; null when none of them has a limit.</summary>
    public int? WantedConcurrency
    {
        get
        {
            // Models that share a limit use it up between them, at the latency of the slowest.
            var wanted = _chat.Values.Where(client => client.IsValueCreated)
                .Select(client => client.Value.GetService(typeof(PacedChatClient)) as PacedChatClient)
                .Where(client => client?.Wanted is not null).GroupBy(client => client!.Pace)
                .Select(clients => clients.Max(client => client!.Wanted)).ToArray();
            return wanted.Length == 0 ? null : wanted.Sum();
        }
    }

    /// <summary>What the provider can enforce of a reply's form.</summary>
    public StructuredOutput Structured(string? name = null) => Find(name).Structured;

    /// <summary>The embedder: a configured one that cannot be had is an error, never replaced by another.</summary>
    /// <exception cref="ModelSetupException">It is not installed, or a file is missing.</exception>
    public IEmbedder Embedder() => _embedder.Value;

    public void Dispose()
    {
        foreach (var client in _chat.Values.Where(client => client.IsValueCreated))
            client.Value.Dispose();
        if (_embedder is { IsValueCreated: true, Value: IDisposable embedder })
            embedder.Dispose();
    }

    private ChatModelOptions Find(string? name) =>
        _options.Chat.GetValueOrDefault(name ?? _options.Default)
        ?? throw new ModelSetupException(
            $"There is no chat model `{name}`: add models.chat.{name}. Known: {string.Join(", ", _options.Chat.Keys)}.");

    private IChatClient Make(ChatModelOptions model) =>
        model.Kind == ChatProvider.Offline
            ? new OfflineChatClient(LocalEmbedder())
            : new PacedChatClient(
                RemoteModels.Chat(model, Key(model.ApiKey, model.ApiKeyEnv, "")),
                model.LimitGroup is { } group
                    ? _groups.GetOrAdd(group, _ => new(model.RequestsPerSecond, _clock)) : new(model.RequestsPerSecond, _clock), _clock);

    // The offline model needs no network, so it does not use a remote embedder either.
    private IEmbedder LocalEmbedder() =>
        _options.Embeddings.Provider is EmbeddingProvider.OpenAI or EmbeddingProvider.Ollama ? new LexicalEmbedder() : Embedder();

    private IEmbedder MakeEmbedder()
    {
        var options = _options.Embeddings;
        return options.Provider switch
        {
            EmbeddingProvider.Auto when !new UseLiteInstaller(_options.Folder).IsInstalled => new LexicalEmbedder(),
            EmbeddingProvider.Lexical => new LexicalEmbedder(),
            EmbeddingProvider.Auto or EmbeddingProvider.Hybrid =>
                new HybridEmbedder(UseLiteEmbedder.Open(_options.Folder), new LexicalEmbedder()),
            EmbeddingProvider.UseLite => UseLiteEmbedder.Open(_options.Folder),
            EmbeddingProvider.Onnx => OnnxEmbedder.Open(options.Onnx!, _options.Folder),
            _ => RemoteModels.Embedder(options, Key(options.ApiKey, options.ApiKeyEnv, "")),
        };
    }

    private string? Key(string? given, string? variable, string setting)
    {
        if (variable is null)
            return given;
        return _environment(variable) is { Length: > 0 } key
            ? key
            : throw new ModelSetupException($"{setting} names {variable}, but that environment variable is not set.");
    }
}
