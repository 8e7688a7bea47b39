using System.Text.Json;

namespace Flywheel.Core;

/// <summary>JSON as RFC 8259 means it: one value, no duplicate names, no comments, no trailing commas.</summary>
public static class StrictJson
{
    /// <summary>Nesting beyond this is refused.</summary>
    public const int MaxDepth = 64;

    static readonly JsonDocumentOptions Options = new()
    {
        AllowDuplicateProperties = false, AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow, MaxDepth = MaxDepth,
    };

    /// <summary>Reads the text whole.</summary>
    /// <param name="problem">What is wrong and where, never quoting the text; null on success.</param>
    /// <returns>Null when the text is not JSON.</returns>
    public static JsonElement? Parse(string text, out string? problem)
    {
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            problem = HasHalfPairs(text, document.RootElement) ? "holds half of a surrogate pair, which is no valid Unicode" : null;
            return problem is null ? document.RootElement.Clone() : null;
        }
        catch (JsonException error)
        {
            problem = string.IsNullOrWhiteSpace(text) ? "the text is empty" : Where(error);
            return null;
        }
        catch (ArgumentException)
        {
            problem = "holds half of a surrogate pair, which is no valid Unicode";
            return null;
        }
    }

    /// <summary>The text inside when all of it is one Markdown code block marked <c>json</c> or not at all; otherwise null.</summary>
    public static string? Unfence(string text)
    {
        var trimmed = text.AsSpan().Trim();
        if (!trimmed.StartsWith("```") || !trimmed.EndsWith("```") || trimmed.Length < 7)
            return null;
        var inside = trimmed[3..^3];
        var line = inside.IndexOf('\n');
        if (line < 0 || inside[(line + 1)..].Contains("```", StringComparison.Ordinal))
            return null;
        var mark = inside[..line].Trim();
        return mark.IsEmpty || mark.Equals("json", StringComparison.OrdinalIgnoreCase) ? inside[(line + 1)..].ToString() : null;
    }

    /// <summary>A text that is equal for equal values: names sorted, no white space.</summary>
    public static string Canonical(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "{" + string.Join(",", value.EnumerateObject()
            .OrderBy(property => property.Name, StringComparer.Ordinal)
            .Select(property => JsonSerializer.Serialize(property.Name) + ":" + Canonical(property.Value))) + "}",
        JsonValueKind.Array => "[" + string.Join(",", value.EnumerateArray().Select(Canonical)) + "]",
        JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    /// <summary>Escapes such as <c>\ud800</c> alone get past the parser, and throw only when the text is read.</summary>
    static bool HasHalfPairs(string text, JsonElement root)
    {
        if (!text.Contains(@"\ud", StringComparison.OrdinalIgnoreCase))
            return false;
        try
        {
            ReadTexts(root);
            return false;
        }
        catch (InvalidOperationException)
        {
            return true;
        }
    }

    static void ReadTexts(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    ReadTexts(item);
                break;
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    _ = property.Name;
                    ReadTexts(property.Value);
                }
                break;
        }
    }

    static string Where(JsonException error)
    {
        var line = (error.LineNumber ?? 0) + 1;
        var column = (error.BytePositionInLine ?? 0) + 1;
        var what = error.Message.Contains("Duplicate", StringComparison.OrdinalIgnoreCase) ? "a name stands twice in one object"
            : error.Message.Contains("depth", StringComparison.OrdinalIgnoreCase) ? $"nested deeper than {MaxDepth} levels"
            : "not well-formed";
        return error.LineNumber is null ? what : $"{what} (line {line}, byte {column})";
    }
}
