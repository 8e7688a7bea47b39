using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>Reads a validator's settings and refuses what it does not understand, naming the setting and the remedy.</summary>
public sealed class ValidatorSettings
{
    /// <summary>Texts in a list.</summary>
    public const int MaxItems = 1_000;

    /// <summary>Characters of one text.</summary>
    public const int MaxTextLength = 10_000;

    readonly string _kind;
    readonly JsonElement _settings;

    /// <exception cref="ValidatorSettingsException">Not an object, or a setting is unknown or given twice.</exception>
    public ValidatorSettings(string kind, IReadOnlyList<SettingDescription> known, JsonElement settings)
    {
        _kind = kind;
        _settings = settings;
        if (settings.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return;
        if (settings.ValueKind != JsonValueKind.Object)
            throw new ValidatorSettingsException("validator", $"The settings of `{kind}` must be a JSON object, not {Describe(settings)}.");

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in settings.EnumerateObject())
        {
            if (!seen.Add(property.Name))
                throw Wrong(property.Name, "is given twice: keep one.");
            if (known.All(setting => setting.Name != property.Name))
            {
                var names = known.Select(setting => setting.Name).ToArray();
                throw new ValidatorSettingsException(property.Name,
                    $"`{Short(property.Name)}` is no setting of `{kind}`.{NearMiss.Hint(property.Name, names)} Its settings are "
                        + $"{NearMiss.List(names)}.");
            }
        }
    }

    /// <summary>A text; null when it is not given.</summary>
    public string? Text(string name)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.String)
            throw Wrong(name, $"must be a text, not {Describe(value)}.");
        return Text(name, value);
    }

    /// <summary>A text that must be given and not be empty.</summary>
    public string RequiredText(string name, string remedy)
    {
        var text = Text(name) ?? throw Missing(name, remedy);
        return text.Length > 0 ? text : throw Wrong(name, $"is empty: {remedy}");
    }

    /// <summary>One text or a list of them, none empty; must be given.</summary>
    public IReadOnlyList<string> RequiredTexts(string name, string remedy)
    {
        var value = Find(name) ?? throw Missing(name, remedy);
        return Texts(name, value) is { Count: > 0 } texts ? texts : throw Wrong(name, $"is an empty list: {remedy}");
    }

    /// <summary>One text or a list of them, none empty; an empty list when not given.</summary>
    public IReadOnlyList<string> Texts(string name) => Find(name) is { } value ? Texts(name, value) : [];

    public bool Flag(string name, bool otherwise)
    {
        if (Find(name) is not { } value)
            return otherwise;
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, $"must be true or false, not {Describe(value)}."),
        };
    }

    /// <summary>A whole number; null when not given.</summary>
    public int? Integer(string name, int min, int max)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            throw Wrong(name, $"must be a whole number, not {Describe(value)}.");
        if (!value.TryGetDecimal(out var number) || number != decimal.Truncate(number) || number < min || number > max)
            throw Wrong(name, $"is {Short(value.GetRawText())}: give a whole number from {min} to {max}.");
        return (int)number;
    }

    /// <summary>A number; null when not given.</summary>
    public double? Number(string name, double min, double max)
    {
        if (Find(name) is not { } value)
            return null;
        if (value.ValueKind != JsonValueKind.Number)
            throw Wrong(name, $"must be a number, not {Describe(value)}.");
        return value.TryGetDouble(out var number) && number >= min && number <= max
            ? number
            : throw Wrong(name, $"is {Short(value.GetRawText())}: give a number from {min} to {max}.");
    }

    /// <summary>One of some words.</summary>
    public string Choice(string name, string otherwise, params string[] choices)
    {
        if (Find(name) is not { } value)
            return otherwise;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } word && choices.Contains(word, StringComparer.Ordinal))
            return word;
        var given = value.ValueKind == JsonValueKind.String ? $"`{Short(Text(name, value))}`" : Describe(value);
        throw Wrong(name, $"is {given}: give one of {NearMiss.List(choices)}.");
    }

    /// <summary>Any JSON value; null when not given.</summary>
    public JsonElement? Json(string name) => Find(name);

    public ValidatorSettingsException Missing(string name, string remedy) =>
        new(name, $"`{name}` is missing from the settings of `{_kind}`: {remedy}");

    public ValidatorSettingsException Wrong(string name, string what) => new(name, $"`{Short(name)}` of `{_kind}` {what}");

    JsonElement? Find(string name) =>
        _settings.ValueKind == JsonValueKind.Object && _settings.TryGetProperty(name, out var value)
            && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    List<string> Texts(string name, JsonElement value)
    {
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (items.Length > MaxItems)
            throw Wrong(name, $"has {items.Length} entries; the limit is {MaxItems}.");
        var texts = new List<string>(items.Length);
        foreach (var item in items)
        {
            if (item.ValueKind != JsonValueKind.String)
                throw Wrong(name, $"must be a text or a list of texts, but holds {Describe(item)}.");
            var text = Text(name, item);
            if (text.Length == 0)
                throw Wrong(name, "holds an empty text, which every text contains: remove it.");
            texts.Add(text);
        }
        return texts;
    }

    string Text(string name, JsonElement value)
    {
        string text;
        try
        {
            text = value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Wrong(name, "holds half of a surrogate pair, which is no valid Unicode: repair the text.");
        }
        if (text.Length > MaxTextLength)
            throw Wrong(name, $"has {text.Length} characters; the limit is {MaxTextLength}.");
        return text.Contains('\0') ? throw Wrong(name, "holds a NUL character (U+0000): remove it.") : text;
    }

    static string Short(string text) => text.Length <= 60 ? text : text[..60] + "…";

    static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "null",
    };
}
