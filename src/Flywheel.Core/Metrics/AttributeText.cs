using System.Text.Json;

namespace Flywheel.Core.Metrics;

/// <summary>A text inside a span's attributes.</summary>
static class AttributeText
{
    /// <summary>
    /// Follows a dotted path. A name may hold dots itself (<c>gen_ai.expected</c>): at each object the longest name that fits is taken
    /// first.
    /// </summary>
    /// <returns>The text, numbers and booleans as JSON writes them; or why there is none.</returns>
    public static (string? Text, string? WhyNot) At(string? attributes, string path)
    {
        if (attributes is null)
            return (null, $"no expected value: the span has no attributes, so no `{path}`");
        if (StrictJson.Parse(attributes, out var problem) is not { } root)
            return (null, $"no expected value: the span's attributes are no JSON ({problem})");
        return Find(root, path) switch
        {
            null or { ValueKind: JsonValueKind.Null } => (null, $"no expected value: the span's attributes have no `{path}`"),
            { ValueKind: JsonValueKind.String } text => (text.GetString(), null),
            { ValueKind: JsonValueKind.Object or JsonValueKind.Array } =>
                (null, $"no expected value: `{path}` in the span's attributes is no text"),
            { } scalar => (scalar.GetRawText(), null),
        };
    }

    /// <summary>Any JSON value at a path, or null when there is none (or JSON null).</summary>
    public static JsonElement? ElementAt(string? attributes, string path) =>
        attributes is not null && StrictJson.Parse(attributes, out _) is { } root
            && Find(root, path) is { ValueKind: not JsonValueKind.Null } found ? found : null;

    static JsonElement? Find(JsonElement within, string path)
    {
        if (within.ValueKind != JsonValueKind.Object)
            return null;
        if (within.TryGetProperty(path, out var whole))
            return whole;
        for (var dot = path.LastIndexOf('.'); dot > 0; dot = path.LastIndexOf('.', dot - 1))
            if (within.TryGetProperty(path.AsSpan(0, dot), out var inner) && Find(inner, path[(dot + 1)..]) is { } found)
                return found;
        return null;
    }
}
