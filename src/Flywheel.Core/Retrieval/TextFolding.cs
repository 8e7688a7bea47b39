using System.Globalization;
using System.Text;

namespace Flywheel.Core.Retrieval;

/// <summary>Maps a character to the one it is compared as.</summary>
internal static class TextFolding
{
    /// <summary>The character leaves no trace (combining marks, zero-width characters), not even a boundary.</summary>
    public const int Dropped = -1;

    // U+00C0..U+017F without accents; '\0' keeps the character as it is. Invariant globalisation has no
    // normalisation tables, and these two blocks are what European languages need.
    private const string Latin =
        "aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0\0aaaaaa\0ceeeeiiii\0nooooo\0ouuuuy\0y"
        + "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii\0\0jjkkkllllllllllnnnnnnnnnoooooo\0\0rrrrrrsssssssstttttt"
        + "uuuuuuuuuuuuwwyyyzzzzzzs";

    /// <summary>Lower case without accents; a boundary (space) for whatever is neither letter nor digit.</summary>
    public static int Fold(Rune rune)
    {
        var value = rune.Value;
        if (value < 0x80)
            return value is >= 'a' and <= 'z' or >= '0' and <= '9' ? value : value is >= 'A' and <= 'Z' ? value | 0x20 : ' ';
        if (value is >= 0xFF01 and <= 0xFF5E)
            return Fold(new Rune(value - 0xFEE0));
        if (value is 0x2019 or 0x02BC)
            return ' ';
        if (value is >= 0xC0 and <= 0x17F && Latin[value - 0xC0] is not '\0' and var plain)
            return plain;

        return Rune.GetUnicodeCategory(rune) switch
        {
            UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format => Dropped,
            UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
                or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.SpacingCombiningMark
                or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber
                => Rune.ToLowerInvariant(rune).Value,
            _ => ' ',
        };
    }

    /// <summary>Kana, ideographs: scripts written without spaces, where one character carries a word's weight.</summary>
    public static bool IsWordOfItsOwn(int codePoint) =>
        codePoint is >= 0x3040 and <= 0x30FF or >= 0x3400 and <= 0x4DBF or >= 0x4E00 and <= 0x9FFF
            or >= 0xF900 and <= 0xFAFF or >= 0x20000 and <= 0x3FFFF;
}
