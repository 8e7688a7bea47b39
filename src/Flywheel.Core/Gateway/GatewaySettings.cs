using System.Text.Json;
using Flywheel.Core.Prompts;
using Flywheel.Core.Traces;

namespace Flywheel.Core.Gateway;

/// <summary>A node's gateway policy as people write it: only what differs from the defaults.</summary>
/// <param name="Kind">The node's kind, for calls that name none.</param>
/// <param name="Model">Called instead of what the request names.</param>
/// <param name="Guards">Ask the guards (true).</param>
/// <param name="OnRefusal"><c>error</c> (400 with the code <c>input_refused</c>), or <c>answer</c>: a completion with the refusal's
/// text.</param>
/// <param name="Refusal">What the user then reads.</param>
/// <param name="Demonstrations">Put demonstrations into the prompt (true); how they are chosen is the node's retrieval policy.</param>
/// <param name="DemonstrationTokens">What they may cost together; those that matter least are left out.</param>
/// <param name="Fallbacks">Models tried in order when the first fails for reasons of its own.</param>
/// <param name="Retries">Of one model, after the first attempt: 0 to 3 (2); a call has 3 in all.</param>
/// <param name="CacheSeconds">How long an equal request gets the same plain answer; 0 is never (0).</param>
/// <param name="Prompt">A prompt of the registry, put in the place of each request's instructions.</param>
/// <param name="PromptLabel">Which version: the one that this prompt label points at (production).</param>
/// <param name="PromptVersion">Which version, by number; instead of a prompt label.</param>
/// <param name="Variant">Written on every span, for comparing.</param>
public sealed record GatewaySettings(
    string? Kind = null, string? Model = null, bool? Guards = null, string? OnRefusal = null, string? Refusal = null,
    bool? Demonstrations = null,
    int? DemonstrationTokens = null, IReadOnlyList<string>? Fallbacks = null, double? TimeoutSeconds = null,
    double? FirstByteSeconds = null,
    double? IdleSeconds = null, int? Retries = null, double? CacheSeconds = null, string? Variant = null,
    string? Prompt = null, string? PromptLabel = null, int? PromptVersion = null)
{
    /// <summary>Of a whole call, whatever models it tries: a failing provider must not be asked ever more.</summary>
    public const int MostRetries = 3;

    public static GatewaySettings Defaults { get; } = new(
        null, null, true, "error", "I cannot help with that.", true, 2_000, [], null, null, null, 2, 0, null);

    static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    public static GatewaySettings Parse(string json) => JsonSerializer.Deserialize<GatewaySettings>(json, Json)!;

    public string Write() => JsonSerializer.Serialize(this, Json);

    /// <summary>These settings, with the defaults where they say nothing.</summary>
    public GatewaySettings InForce() => new(
        Kind, Model, Guards ?? Defaults.Guards, OnRefusal ?? Defaults.OnRefusal, Refusal ?? Defaults.Refusal,
        Demonstrations ?? Defaults.Demonstrations,
        DemonstrationTokens ?? Defaults.DemonstrationTokens, Fallbacks ?? Defaults.Fallbacks, TimeoutSeconds, FirstByteSeconds, IdleSeconds,
        Retries ?? Defaults.Retries, CacheSeconds ?? Defaults.CacheSeconds, Variant, Prompt, PromptLabel, PromptVersion);

    public NodeKind? NodeKind => Kind is null ? null : Metrics.Wire.Parse<NodeKind>(Kind);

    /// <returns>The field that cannot work, and why; null when all can.</returns>
    public (string Field, string Message)? Wrong()
    {
        if (Kind is not null && NodeKind is null)
            return ("kind", $"`kind` is `{Kind}`: use {Metrics.Wire.Choices<NodeKind>()}.");
        if (OnRefusal is not (null or "error" or "answer"))
            return ("on_refusal", $"`on_refusal` is `{OnRefusal}`: use error or answer.");
        if (Refusal is { Length: 0 or > 10_000 })
            return ("refusal", "`refusal` must have 1 to 10,000 characters.");
        if (Model is not null && SpanRules.Name(Model, SpanRules.MaxNameLength) is { } model)
            return ("model", $"`model` {model}");
        if (Variant is not null && SpanRules.Name(Variant, SpanRules.MaxNameLength) is { } variant)
            return ("variant", $"`variant` {variant}");
        if (Prompt is not null && PromptNames.WrongName(Prompt) is { } prompt)
            return ("prompt", $"`prompt` {prompt}");
        if ((PromptLabel is not null || PromptVersion is not null) && Prompt is null)
            return ("prompt", "`prompt` is missing: `prompt_label` and `prompt_version` say which version of it.");
        if (PromptLabel is not null && PromptVersion is not null)
            return ("prompt_version", "`prompt_version` and `prompt_label` are both set: leave one out.");
        if (Fallbacks is { Count: > 8 } || (Fallbacks?.Any(name => SpanRules.Name(name, SpanRules.MaxNameLength) is not null) ?? false))
            return ("fallbacks", "`fallbacks` must be at most 8 names of models.");
        return Outside("demonstration_tokens", DemonstrationTokens, 0, 1_000_000) ?? Outside("retries", Retries, 0, MostRetries)
            ?? Outside("timeout_seconds", TimeoutSeconds, 0.01, 3600) ?? Outside("first_byte_seconds", FirstByteSeconds, 0.01, 3600)
            ?? Outside("idle_seconds", IdleSeconds, 0.01, 3600) ?? Outside("cache_seconds", CacheSeconds, 0, 86_400);
    }

    static (string, string)? Outside(string name, double? value, double least, double most) =>
        value is { } given && !(given >= least && given <= most)
            ? (name, FormattableString.Invariant($"`{name}` is {given}: set {least} to {most}."))
            : null;
}
