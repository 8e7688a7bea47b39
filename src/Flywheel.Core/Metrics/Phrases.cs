namespace Flywheel.Core.Metrics;

/// <summary>Looks for phrases in a text.</summary>
static class Phrases
{
    /// <summary>How often the phrase stands in the text, overlaps not counted.</summary>
    /// <param name="wholeWords">Letters, digits, marks and underscores next to the phrase mean that it is part of a longer word.</param>
    /// <param name="atMost">Counting ends here.</param>
    public static int Count(string text, string phrase, bool ignoreCase, bool wholeWords, int atMost = int.MaxValue)
    {
        var comparison = ignoreCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;
        var count = 0;
        for (var from = 0; from <= text.Length - phrase.Length && count < atMost;)
        {
            var at = text.IndexOf(phrase, from, comparison);
            if (at < 0)
                break;
            var isHit = !wholeWords || IsWhole(text, at, phrase.Length);
            count += isHit ? 1 : 0;
            from = isHit ? at + phrase.Length : at + 1;
        }
        return count;
    }

    /// <summary>An end of the phrase that is no letter or digit itself needs no boundary: <c>C++</c>, <c>:-)</c>.</summary>
    static bool IsWhole(string text, int at, int length) =>
        (at == 0 || !IsWordPart(text[at]) || !IsWordPart(text[at - 1]))
        && (at + length == text.Length || !IsWordPart(text[at + length - 1]) || !IsWordPart(text[at + length]));

    static bool IsWordPart(char c) =>
        char.IsLetterOrDigit(c) || c == '_' || char.IsSurrogate(c)
        || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark
        or System.Globalization.UnicodeCategory.SpacingCombiningMark;
}
