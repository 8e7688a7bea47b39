using System.Collections.Frozen;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>International bank account numbers: the country's length, and ISO 7064 mod 97 equal to 1 (ISO 13616).</summary>
sealed class Ibans : ISensitiveType
{
    /// <summary>Characters by country, from the IBAN registry.</summary>
    static readonly FrozenDictionary<string, int> Lengths = Table(
        (15, "NO"), (16, "BE"), (18, "DK FI FO GL NL SD FK"), (19, "MK SI"), (20, "AT BA EE KZ LT LU XK MN"), (21, "CH HR LI LV"),
        (22, "BG BH CR DE GB GE IE ME RS VA"), (23, "AE GI IL IQ OM SO TL"), (24, "AD CZ ES MD PK RO SA SE SK TN VG DZ"),
        (25, "LY PT ST AO CV MZ"), (26, "IS TR"), (27, "BI DJ FR GR IT MC MR SM BF BJ CI CM CF CG GQ GA MG ML SN TD TG KM GW"),
        (28, "AL AZ BY CY DO GT HU LB NE NI PL SV HN MA"), (29, "BR EG PS QA UA"), (30, "JO KW MU YE"), (31, "MT SC"), (32, "LC"),
        (33, "RU"));

    public string Name => "iban";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        for (var i = 0; i + 14 < text.Length; i++)
            if (char.IsAsciiLetter(text[i]) && char.IsAsciiLetter(text[i + 1]) && !text.IsWord(i - 1) && CheckDigitsAt(text, i)
                && Lengths.TryGetValue(text.Plain.Substring(i, 2).ToUpperInvariant(), out var length) && EndAt(text, i, length) is var end
                && end > 0)
            {
                found.Add(new(i, end - i, Name));
                i = end - 1;
            }
    }

    static bool CheckDigitsAt(ScannedText text, int i) => text.IsDigit(i + 2) && text.IsDigit(i + 3);

    /// <summary>Position after the last character; -1 when there is no valid number of this length.</summary>
    static int EndAt(ScannedText text, int start, int length)
    {
        Span<char> characters = stackalloc char[length];
        var count = 0;
        var i = start;
        for (; i < text.Length && count < length; i++)
            if (char.IsAsciiLetterOrDigit(text[i]))
                characters[count++] = char.ToUpperInvariant(text[i]);
            else if (text[i] is not (' ' or '-') || !text.IsWord(i + 1))
                return -1;
        return count == length && !text.IsWord(i) && Mod97(characters) == 1 ? i : -1;
    }

    static int Mod97(ReadOnlySpan<char> characters)
    {
        var rest = 0;
        for (var i = 0; i < characters.Length; i++)
        {
            var c = characters[(i + 4) % characters.Length];
            rest = char.IsAsciiDigit(c) ? (rest * 10 + (c - '0')) % 97 : (rest * 100 + (c - 'A' + 10)) % 97;
        }
        return rest;
    }

    static FrozenDictionary<string, int> Table(params (int Length, string Countries)[] rows) =>
        rows.SelectMany(row => row.Countries.Split(' ').Select(country => KeyValuePair.Create(country, row.Length))).ToFrozenDictionary();
}
