namespace Flywheel.Core;

/// <summary>What any text or name must fulfil before it is stored.</summary>
public static class TextRules
{
    public const int MaxNameLength = 200;

    /// <summary>Characters of one text; longer text is refused, never cut silently.</summary>
    public const int MaxTextLength = 4_000_000;

    /// <summary>Why a text cannot be stored; null when it can.</summary>
    public static string? Text(string text)
    {
        if (text.Length > MaxTextLength)
            return $"has {text.Length:N0} characters; the limit is {MaxTextLength:N0}: send a shorter text or a reference.";
        if (text.Contains('\0'))
            return "holds a NUL character (U+0000): remove it.";
        return HasLoneSurrogate(text) ? "holds half of a surrogate pair, which is no valid Unicode: repair the text." : null;
    }

    /// <summary>Why a text is no usable name or id; null when it is one.</summary>
    public static string? Name(string? name, int maxLength)
    {
        if (string.IsNullOrWhiteSpace(name))
            return "is missing: give a non-empty string.";
        if (name.Length > maxLength)
            return $"has {name.Length:N0} characters; the limit is {maxLength}.";
        foreach (var c in name)
            if (char.IsControl(c))
                return "holds a control character: remove it.";
        return HasLoneSurrogate(name) ? "holds half of a surrogate pair, which is no valid Unicode: repair the text." : null;
    }

    static bool HasLoneSurrogate(string text)
    {
        var at = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        if (at < 0)
            return false;
        for (var i = at; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 >= text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
                return true;
            i++;
        }
        return false;
    }
}
