using System.Collections.Frozen;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Sensitive;

/// <summary>Payment cards: 12 to 19 digits with a valid check digit (Luhn, ISO/IEC 7812-1) and an issuer's prefix.</summary>
/// <remarks>
/// One digit row in ten passes Luhn, so a row that has no known issuer's prefix and length, or unusual groups, counts only near a
/// word such as "card".
/// </remarks>
sealed class CardNumbers : ISensitiveType
{
    const int Min = 12;
    const int Max = 19;

    static readonly FrozenSet<string> Context = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "card", "cards", "credit", "debit", "cc", "visa", "mastercard", "amex", "maestro", "karte", "kreditkarte", "carte", "tarjeta",
        "carta",
        "cartão", "kaart", "pan");

    public string Name => "card";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        foreach (var row in DigitGroups.Rows(text, " -"))
            for (var first = 0; first < row.Count; first++)
            {
                if (text.IsWord(row[first].Start - 1))
                    continue;
                var last = LongestFrom(text, row, first);
                if (last < 0)
                    continue;
                found.Add(new(row[first].Start, row[last].End - row[first].Start, Name));
                first = last;
            }
    }

    static int LongestFrom(ScannedText text, List<DigitGroup> row, int first)
    {
        Span<char> digits = stackalloc char[Max];
        var count = 0;
        var best = -1;
        for (var last = first; last < row.Count; last++)
        {
            if (count + row[last].Length > Max)
                break;
            text.Plain.AsSpan(row[last].Start, row[last].Length).CopyTo(digits[count..]);
            count += row[last].Length;
            if (count >= Min && !text.IsWord(row[last].End) && PassesLuhn(digits[..count])
                && (IsIssued(digits[..count]) && AreUsual(row, first, last) || text.HasNear(row[first].Start, row[last].End, Context)))
                best = last;
        }
        return best;
    }

    /// <summary>In one piece, in fours, or as American Express and Diners write them.</summary>
    static bool AreUsual(List<DigitGroup> row, int first, int last)
    {
        if (first == last)
            return true;
        if (last == first + 2 && row[first].Length == 4 && row[first + 1].Length == 6 && row[last].Length is 4 or 5)
            return true;
        for (var i = first; i < last; i++)
            if (row[i].Length != 4)
                return false;
        return row[last].Length <= 4;
    }

    internal static bool PassesLuhn(ReadOnlySpan<char> digits)
    {
        var sum = 0;
        var zeros = true;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[digits.Length - 1 - i] - '0';
            zeros &= digit == 0;
            if (i % 2 == 1)
                digit = digit > 4 ? 2 * digit - 9 : 2 * digit;
            sum += digit;
        }
        return sum % 10 == 0 && !zeros;
    }

    static bool IsIssued(ReadOnlySpan<char> digits)
    {
        var six = int.Parse(digits[..6], System.Globalization.CultureInfo.InvariantCulture);
        var (two, four) = (six / 10_000, six / 100);
        return digits.Length switch
        {
            13 => two is >= 40 and <= 49,
            14 => four is >= 3000 and <= 3059 or 3095 || two is 36 or 38 or 39,
            15 => two is 34 or 37 || four is 1800 or 2131,
            16 => two is >= 40 and <= 49 or >= 51 and <= 55 or 65
                || four is >= 2200 and <= 2204 or >= 2221 and <= 2720 or >= 3528 and <= 3589 or 6011
                || six / 1000 is >= 644 and <= 649 || two == 62 || IsMaestro(two),
            12 or 17 or 18 => two == 62 && digits.Length > 16 || IsMaestro(two),
            19 => two is >= 40 and <= 49 or 62 || IsMaestro(two),
            _ => false,
        };
    }

    static bool IsMaestro(int two) => two is 50 or >= 56 and <= 58 or 60 or 63 or 67 or 69;
}
