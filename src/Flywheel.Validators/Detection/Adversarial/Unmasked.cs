using System.Globalization;
using System.Text;
using Flywheel.Core;

namespace Flywheel.Validators.Detection.Adversarial;

/// <summary>What hides in a text's characters: each count is of characters that a reader does not see for what they are.</summary>
/// <param name="Invisible">Zero-width characters and soft hyphens between letters, long runs of variation selectors.</param>
/// <param name="Tags">Tag characters (U+E0020 to U+E007E) outside a flag: a second text in invisible ink.</param>
/// <param name="Reversals">Overrides of the writing direction.</param>
/// <param name="Lookalikes">Words that mix Latin letters with Cyrillic or Greek ones of the same shape.</param>
/// <param name="Styled">Letters in mathematical, enclosed or full-width dress, from six on.</param>
/// <param name="Stacked">Combining marks beyond two on one letter.</param>
readonly record struct Disguise(int Invisible, int Tags, int Reversals, int Lookalikes, int Styled, int Stacked)
{
    public bool IsNone => this == default;
}

/// <summary>A text as a model would understand it, free of Unicode's tricks, in lower case.</summary>
/// <remarks>Unicode's NFKC and confusables (UTS 39) as far as they lead to Latin letters; the invisible text of tag characters is
/// appended.</remarks>
static class Unmasked
{
    const int MaxCharacters = 64_000;

    // Cyrillic and Greek letters that look like the Latin ones below them.
    const string Foreign = "аеорсухіјѕԁԛԝһкмтвнгпАВЕКМНОРСТХУІЈЅαβεικνορτυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ";
    const string Latin = "aeopcyxijsdqwhkmtbhrnABEKMHOPCTXYIJSaBeiKvoptuxwABEZHIKMNOPTYX";

    public static string Of(string text, out Disguise disguise)
    {
        disguise = default;
        if (text.Length > MaxCharacters)
            text = string.Concat(text.AsSpan(0, MaxCharacters / 2), text.AsSpan(text.Length - MaxCharacters / 2));
        if (Ascii.IsValid(text))
            return text.ToLowerInvariant();

        var plain = new StringBuilder(text.Length + 16);
        var secret = new StringBuilder();
        int invisible = 0, tags = 0, reversals = 0, styled = 0, stacked = 0, marks = 0, selectors = 0;
        var inFlag = false;
        foreach (var rune in text.EnumerateRunes())
        {
            var value = rune.Value;
            marks = Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark && !IsSelector(value) ? marks + 1 : 0;
            selectors = IsSelector(value) ? selectors + 1 : 0;
            if (value is >= 0xE0020 and <= 0xE007F)
            {
                if (!inFlag && value != 0xE007F)
                {
                    tags++;
                    secret.Append((char)(value - 0xE0000));
                }
                continue;
            }
            inFlag = value == 0x1F3F4;
            switch (value)
            {
                case 0x200B or 0x2060 or 0x2061 or 0x2062 or 0x2063 or 0x2064 or 0xFEFF or 0x00AD or 0x180E:
                    invisible += plain.Length > 0 && char.IsAsciiLetter(plain[^1]) ? 1 : 0;
                    continue;
                case 0x200C or 0x200D:
                    invisible += plain.Length > 0 && char.IsAsciiLetter(plain[^1]) ? 1 : 0;
                    continue;
                case 0x202A or 0x202B or 0x202C or (>= 0x2066 and <= 0x2069) or 0x200E or 0x200F:
                    continue;
                case 0x202D or 0x202E:
                    reversals++;
                    continue;
            }
            if (selectors > 0)
            {
                invisible += selectors > 2 ? 1 : 0;
                continue;
            }
            if (marks > 2)
            {
                stacked++;
                continue;
            }
            if (Undressed(value) is { } letter)
            {
                styled++;
                plain.Append(letter);
            }
            else
                plain.Append(rune.ToString());
        }
        var lookalikes = FoldLookalikes(plain);
        disguise = new(invisible, tags, reversals, lookalikes, styled >= 6 ? styled : 0, stacked);
        if (secret.Length > 0)
            plain.Append(' ').Append(secret);
        return UnicodeForms.Compatible(plain.ToString()).ToLowerInvariant();
    }

    static bool IsSelector(int value) => value is (>= 0xFE00 and <= 0xFE0F) or (>= 0xE0100 and <= 0xE01EF);

    /// <summary>The letter in mathematical bold, script, double-struck ..., in a circle or square, or of a flag's pair.</summary>
    static char? Undressed(int value) => value switch
    {
        >= 0x1D400 and <= 0x1D6A3 => Letter((value - 0x1D400) % 52),
        >= 0x1D7CE and <= 0x1D7FF => (char)('0' + (value - 0x1D7CE) % 10),
        >= 0x24B6 and <= 0x24CF => (char)('A' + value - 0x24B6),
        >= 0x24D0 and <= 0x24E9 => (char)('a' + value - 0x24D0),
        >= 0x1F130 and <= 0x1F149 => (char)('A' + value - 0x1F130),
        >= 0x1F150 and <= 0x1F169 => (char)('A' + value - 0x1F150),
        >= 0x1F170 and <= 0x1F189 => (char)('A' + value - 0x1F170),
        >= 0x1F1E6 and <= 0x1F1FF => (char)('A' + value - 0x1F1E6),
        >= 0xFF21 and <= 0xFF3A => (char)('A' + value - 0xFF21),
        >= 0xFF41 and <= 0xFF5A => (char)('a' + value - 0xFF41),
        _ => null,
    };

    static char Letter(int index) => (char)(index < 26 ? 'A' + index : 'a' + index - 26);

    /// <summary>Replaces lookalikes in words that hold Latin letters too; words wholly of another script stay.</summary>
    static int FoldLookalikes(StringBuilder text)
    {
        var words = 0;
        for (int start = 0, end; start < text.Length; start = end + 1)
        {
            bool latin = false, foreign = false;
            for (end = start; end < text.Length && char.IsLetter(text[end]); end++)
            {
                latin |= char.IsAsciiLetter(text[end]);
                foreign |= Foreign.Contains(text[end], StringComparison.Ordinal);
            }
            if (!latin || !foreign)
                continue;
            words++;
            for (var i = start; i < end; i++)
                if (Foreign.IndexOf(text[i], StringComparison.Ordinal) is >= 0 and var at)
                    text[i] = Latin[at];
        }
        return words;
    }
}
