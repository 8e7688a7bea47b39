using System.Globalization;
using Flywheel.Core;

namespace Flywheel.Server.Gateway.Upstreams;

/// <summary>The `Gateway` section of the settings. Addresses and keys of providers come from here and from nowhere else.</summary>
sealed class GatewayOptions
{
    /// <summary>The provider of models that none is named for; null for the only one.</summary>
    public string? Default { get; set; }

    public Dictionary<string, ProviderOptions> Providers { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>A longer reply is not read to its end.</summary>
    public int MaxReplyMegabytes { get; set; } = 64;

    /// <summary>How long an answer waits for its record; then it goes out marked as pending. With 0 it does not wait.</summary>
    public double RecordSeconds { get; set; } = 2;

    public int CacheMegabytes { get; set; } = 64;

    public static GatewayOptions Read(IConfiguration configuration)
    {
        var options = new GatewayOptions();
        try
        {
            var plain = configuration.GetSection("Gateway").AsEnumerable(makePathsRelative: true)
                .Where(setting => setting.Key.Length > 0 && setting.Value is not null)
                .Select(setting => KeyValuePair.Create(Plain(setting.Key), setting.Value));
            new ConfigurationBuilder().AddInMemoryCollection(plain).Build()
                .Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            throw new FlywheelException($"The gateway's settings cannot be read: {e.InnerException?.Message ?? e.Message}", e);
        }
        Within("Gateway.max_reply_megabytes", options.MaxReplyMegabytes, 1, 1024);
        Within("Gateway.record_seconds", options.RecordSeconds, 0, 60);
        Within("Gateway.cache_megabytes", options.CacheMegabytes, 0, 4096);
        foreach (var (name, provider) in options.Providers)
            provider.Check($"Gateway.Providers.{name}");
        if (options.Default is { } wanted && !options.Providers.ContainsKey(wanted))
            throw new FlywheelException($"Gateway.Default names {wanted}, but there is no Gateway.Providers.{wanted}.");
        return options;
    }

    /// <summary>Underscores of settings do not matter; those in a provider's name do.</summary>
    static string Plain(string key) =>
        string.Join(':', key.Split(':').Select((part, i) => i == 1 ? part : part.Replace("_", "", StringComparison.Ordinal)));

    internal static void Within(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new FlywheelException(string.Create(CultureInfo.InvariantCulture, $"{name} is {value}: set {least} to {most}."));
    }
}

/// <summary>One server that speaks OpenAI's API.</summary>
sealed class ProviderOptions
{
    /// <summary>Base URL with its version, such as <c>https://api.openai.com/v1</c>.</summary>
    public string? Endpoint { get; set; }

    public string? ApiKey { get; set; }

    /// <summary>Environment variable that holds the key.</summary>
    public string? ApiKeyEnv { get; set; }

    /// <summary>For a whole call, retries included.</summary>
    public double TimeoutSeconds { get; set; } = 600;

    /// <summary>Until the reply begins.</summary>
    public double FirstByteSeconds { get; set; } = 120;

    /// <summary>Between two events of a stream, or two pieces of a reply.</summary>
    public double IdleSeconds { get; set; } = 60;

    /// <summary>The server knows `stream_options.include_usage`.</summary>
    public bool StreamUsage { get; set; } = true;

    /// <summary>Prices, the first that fits; also what `/models` lists.</summary>
    public List<ProviderModel> Models { get; } = [];

    public void Check(string path)
    {
        if (!Uri.TryCreate(Endpoint, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https") || url.UserInfo.Length > 0)
            throw new FlywheelException(
                $"{path}.endpoint is `{Endpoint}`: set an http or https URL without user and password, such as https://api.openai.com/v1.");
        if (ApiKey is not null && ApiKeyEnv is not null)
            throw new FlywheelException($"{path}.api_key and api_key_env are both set: keep one.");
        GatewayOptions.Within($"{path}.timeout_seconds", TimeoutSeconds, 0.01, 3600);
        GatewayOptions.Within($"{path}.first_byte_seconds", FirstByteSeconds, 0.01, 3600);
        GatewayOptions.Within($"{path}.idle_seconds", IdleSeconds, 0.01, 3600);
        foreach (var model in Models)
            if (string.IsNullOrWhiteSpace(model.Model))
                throw new FlywheelException(
                    $"{path}.models has an entry without `model`: name one, or a beginning with a star, such as gpt-4.1*.");
    }
}

/// <summary>What a model, or several, cost.</summary>
sealed class ProviderModel
{
    /// <summary>A name, or the beginning of names followed by a star.</summary>
    public string Model { get; set; } = "";

    public double InputUsdPerMillion { get; set; }

    public double OutputUsdPerMillion { get; set; }

    public double? CachedInputUsdPerMillion { get; set; }

    public bool Fits(string model) => Model.EndsWith('*') ? model.StartsWith(Model[..^1], StringComparison.Ordinal) : model == Model;
}
