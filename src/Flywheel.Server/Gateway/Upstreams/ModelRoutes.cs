using System.Net.Http.Headers;
using Flywheel.Core.Gateway;
using Flywheel.Core;
using Flywheel.Engine.Models;

namespace Flywheel.Server.Gateway.Upstreams;

/// <summary>A provider that can be called.</summary>
/// <param name="Base">Ends with a slash.</param>
/// <param name="Key">Goes to this address only; null when it wants none.</param>
sealed record Upstream(
    string Name, Uri Base, string? Key, TimeSpan Timeout, TimeSpan FirstByte, TimeSpan Idle, bool StreamUsage,
    IReadOnlyList<ProviderModel> Models)
{
    public AuthenticationHeaderValue? Authorization { get; } = Key is null ? null : new("Bearer", Key);

    /// <summary>One object a path, since parsing costs more than sending.</summary>
    readonly System.Collections.Concurrent.ConcurrentDictionary<string, Uri> _paths = new();

    public Uri At(string path) => _paths.GetOrAdd(path, static (path, home) => new Uri(home, path), Base);

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"{Name} at {Base}";
}

/// <summary>Where a model is, by the name it is called by.</summary>
/// <param name="Price">Null when none is configured: then the cost is unknown, not zero.</param>
sealed record ModelRoute(Upstream Upstream, string Model, ModelPrice? Price);

/// <summary>Every model that can be called through the gateway, from the settings.</summary>
/// <remarks>
/// A name is, in this order: one of <c>Models:Chat</c>; <c>PROVIDER/MODEL</c> with a provider of <c>Gateway:Providers</c>; a model of the
/// default provider.
/// </remarks>
sealed class ModelRoutes : IRoutedModels
{
    readonly Dictionary<string, ModelRoute> _named = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, Upstream> _providers = new(StringComparer.OrdinalIgnoreCase);
    readonly Upstream? _default;

    public ModelRoutes(GatewayOptions options, ModelOptions models, Func<string, string?>? environment = null)
    {
        environment ??= Environment.GetEnvironmentVariable;
        foreach (var (name, provider) in options.Providers)
            _providers[name] = new Upstream(
                name, Slashed(new Uri(provider.Endpoint!)),
                KeyOf(provider.ApiKey, provider.ApiKeyEnv, $"Gateway.Providers.{name}.api_key_env", environment),
                TimeSpan.FromSeconds(provider.TimeoutSeconds), TimeSpan.FromSeconds(provider.FirstByteSeconds),
                TimeSpan.FromSeconds(provider.IdleSeconds),
                provider.StreamUsage, provider.Models);
        foreach (var (name, model) in models.Chat)
            if (EndpointOf(model) is { } endpoint)
            {
                var patience = model.Timeout ?? ChatModelOptions.DefaultTimeout;
                var upstream = new Upstream(
                    name, Slashed(endpoint), KeyOf(model.ApiKey, model.ApiKeyEnv, $"models.chat.{name}.api_key_env", environment),
                    TimeSpan.FromSeconds(600), patience, patience, true, []);
                _named[name] = new ModelRoute(upstream, model.Model!, model.Price);
            }
        _default = options.Default is { } wanted ? _providers[wanted] : _providers.Count == 1 ? _providers.Values.Single() : null;
    }

    public bool CanCall(string model) => Find(model) is not null;

    /// <summary>Null when no provider is known for the name.</summary>
    public ModelRoute? Find(string model)
    {
        if (_named.TryGetValue(model, out var named))
            return named;
        if (model.IndexOf('/') is > 0 and var slash && _providers.TryGetValue(model[..slash], out var provider) && slash + 1 < model.Length)
            return Route(provider, model[(slash + 1)..]);
        return _default is null || model.Length == 0 ? null : Route(_default, model);
    }

    /// <summary>What `/models` lists: (name, provider).</summary>
    public IEnumerable<(string Name, string Provider)> Names =>
        _named.Select(each => (each.Key, each.Value.Upstream.Name)).Concat(
            _providers.Values.SelectMany(provider => provider.Models.Where(model => !model.Model.EndsWith('*')).Select(model => (
                provider == _default ? model.Model : $"{provider.Name}/{model.Model}", provider.Name))));

    /// <summary>What a person can do when a name is unknown.</summary>
    public string Known => (_named.Count, _providers.Count) switch
    {
        (0, 0) => "No provider is configured: set Gateway:Providers:NAME:endpoint and api_key_env (docs/gateway.md).",
        _ => "Known: " + string.Join(", ", _named.Keys.Concat(_providers.Keys.Select(name => name + "/MODEL"))) + ".",
    };

    static ModelRoute Route(Upstream upstream, string model)
    {
        foreach (var each in upstream.Models)
            if (each.Fits(model))
                return new(upstream, model,
                    new ModelPrice(each.InputUsdPerMillion, each.OutputUsdPerMillion, each.CachedInputUsdPerMillion));
        return new(upstream, model, null);
    }

    static Uri? EndpointOf(ChatModelOptions model) => model.Kind switch
    {
        ChatProvider.OpenAI => model.Endpoint ?? new Uri("https://api.openai.com/v1"),
        ChatProvider.Ollama => model.Endpoint ?? new Uri("http://localhost:11434/v1"),
        _ => null,
    };

    static Uri Slashed(Uri url) => url.AbsoluteUri.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");

    static string? KeyOf(string? given, string? variable, string setting, Func<string, string?> environment) => variable is null
        ? given
        : environment(variable) is { Length: > 0 } key
            ? key
            : throw new FlywheelException($"{setting} names {variable}, but that environment variable is not set.");
}
