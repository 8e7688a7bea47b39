using System.Text;

namespace Flywheel.Core.Traces;

/// <summary>Text as every store takes it. Models and users do send NUL and halves of surrogate pairs.</summary>
public static class StorableText
{
    const char Replacement = '\uFFFD';

    /// <summary>The same text; each NUL and each lone surrogate is replaced by U+FFFD rather than costing the whole span.</summary>
    public static string? Of(string? text)
    {
        if (text is null || !NeedsRepair(text))
            return text;
        var repaired = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            if (rune.Value == 0)
                repaired.Append(Replacement);
            else
                repaired.Append(rune.ToString());
        return repaired.ToString();
    }

    static bool NeedsRepair(string text)
    {
        if (text.Contains('\0'))
            return true;
        var at = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; at >= 0 && at < text.Length; at++)
            if (char.IsSurrogate(text[at]))
            {
                if (at + 1 == text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                    return true;
                at++;
            }
        return false;
    }
}
