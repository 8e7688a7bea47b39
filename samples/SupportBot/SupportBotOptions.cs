using Flywheel.Demo;

namespace SupportBot;

/// <summary>Settings of the sample.</summary>
public sealed record SupportBotOptions : SupportOptions
{
    /// <summary>Base address of an OpenAI-compatible provider; null means the offline model.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Null for providers that ask for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>The provider's name for the model; needed with <see cref="Endpoint"/>.</summary>
    public string? Model { get; init; }

    /// <summary>Reads <c>SUPPORTBOT_ENDPOINT</c>, <c>SUPPORTBOT_API_KEY</c> and <c>SUPPORTBOT_MODEL</c>.</summary>
    /// <param name="variable">Looks up an environment variable.</param>
    /// <exception cref="ArgumentException">A setting is unusable; the message names it and the remedy.</exception>
    public static SupportBotOptions FromEnvironment(Func<string, string?> variable)
    {
        var endpoint = Value("SUPPORTBOT_ENDPOINT");
        var options = new SupportBotOptions { ApiKey = Value("SUPPORTBOT_API_KEY"), Model = Value("SUPPORTBOT_MODEL") };
        if (endpoint is null)
            return options.ApiKey is null && options.Model is null
                ? options
                : throw new ArgumentException("SUPPORTBOT_API_KEY or SUPPORTBOT_MODEL is set, but SUPPORTBOT_ENDPOINT is not: set it, too.");
        if (!Uri.TryCreate(endpoint, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"SUPPORTBOT_ENDPOINT is '{endpoint}': give an http or https address, such as http://127.0.0.1:11434/v1.");
        if (options.Model is null)
            throw new ArgumentException("SUPPORTBOT_MODEL is missing: name the model that SUPPORTBOT_ENDPOINT serves.");
        return options with { Endpoint = address };

        string? Value(string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;
    }
}
