using System.Collections.Frozen;

namespace Flywheel.Validators.Sensitive;

/// <summary>
/// A text as the detectors read it: one character for one, with the digits, dashes and spaces of other scripts made plain.
/// </summary>
/// <remarks>Positions are those of the original text. A zero-width character inside a number counts as a space.</remarks>
sealed class ScannedText
{
    public ScannedText(string original)
    {
        Original = original;
        Plain = string.Create(original.Length, original, static (plain, text) =>
        {
            for (var i = 0; i < plain.Length; i++)
                plain[i] = Fold(text[i]);
        });
    }

    public string Original { get; }
    public string Plain { get; }
    public int Length => Plain.Length;
    public char this[int i] => Plain[i];

    /// <summary>Whether there is a letter or digit at a position; false outside the text.</summary>
    public bool IsWord(int i) => (uint)i < (uint)Plain.Length && char.IsLetterOrDigit(Plain[i]);

    public bool IsDigit(int i) => (uint)i < (uint)Plain.Length && char.IsAsciiDigit(Plain[i]);

    /// <summary>
    /// Whether one of some words stands within a few characters before <paramref name="from"/> or after <paramref name="to"/>.
    /// </summary>
    public bool HasNear(int from, int to, FrozenSet<string> words, int before = 60, int after = 25) =>
        LastWordBefore(from, words, before) >= 0 || HasWord(Math.Min(to, Length), Math.Min(to + after, Length), words);

    /// <summary>Start of the nearest of some words before a position; -1 when there is none.</summary>
    public int LastWordBefore(int position, FrozenSet<string> words, int before = 60)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        var floor = Math.Max(0, position - before);
        for (var end = position; end > floor;)
        {
            while (end > floor && !char.IsLetter(Plain[end - 1]))
                end--;
            var start = end;
            while (start > 0 && end - start < MaxWord && char.IsLetter(Plain[start - 1]))
                start--;
            if (end > start && lookup.Contains(Plain.AsSpan(start, end - start)))
                return start;
            end = Math.Min(start, end - 1);
        }
        return -1;
    }

    bool HasWord(int from, int to, FrozenSet<string> words)
    {
        var lookup = words.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var start = from; start < to;)
        {
            while (start < to && !char.IsLetter(Plain[start]))
                start++;
            var end = start;
            while (end < Length && end - start < MaxWord && char.IsLetter(Plain[end]))
                end++;
            if (end > start && lookup.Contains(Plain.AsSpan(start, end - start)))
                return true;
            start = Math.Max(end, start + 1);
        }
        return false;
    }

    const int MaxWord = 30;

    static char Fold(char c)
    {
        if (c < 0x80)
            return c;
        if (c is >= '\uFF01' and <= '\uFF5E')
            return (char)(c - 0xFEE0);
        if (c is >= '\u2010' and <= '\u2015' or '\u2212')
            return '-';
        if (c is '\u00A0' or (>= '\u2000' and <= '\u200D') or '\u202F' or '\u2060' or '\u3000' or '\uFEFF' or '\u00AD')
            return ' ';
        return char.IsDigit(c) ? (char)('0' + (int)char.GetNumericValue(c)) : c;
    }
}

/// <summary>Finds one type of sensitive information.</summary>
interface ISensitiveType
{
    /// <summary>As in the found spans and the placeholders.</summary>
    string Name { get; }

    /// <summary>Adds what it finds; its own finds do not overlap.</summary>
    void Find(ScannedText text, List<Core.Metrics.FoundSpan> found);
}
