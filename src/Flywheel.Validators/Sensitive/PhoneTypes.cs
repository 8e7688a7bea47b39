using System.Collections.Frozen;
using Flywheel.Core.Metrics;
using PhoneNumbers;

namespace Flywheel.Validators.Sensitive;

/// <summary>Telephone numbers that could be dialled: valid by Google's metadata (libphonenumber).</summary>
/// <remarks>
/// With a country code the number speaks for itself. A national one is tried in the configured regions; there are so many numbering
/// plans that nearly any row of digits is valid in one, so other regions count only for a number in groups, or near a word such as
/// "call". A word such as "order" right before the number says that it is none.
/// </remarks>
/// <param name="regions">ISO 3166 codes of the regions whose national numbers are expected.</param>
sealed class PhoneTypes(IReadOnlyList<string> regions) : ISensitiveType
{
    const int MinDigits = 7;
    const int MaxDigits = 15;
    const int MaxGroups = 8;

    /// <summary>Rows of digits for which all regions are tried; a text with more is a table.</summary>
    const int MaxWideTries = 40;

    static readonly FrozenSet<string> Context = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "phone", "phones", "telephone", "tel", "mobile", "cell", "cellphone", "call", "calls", "called", "calling", "dial", "fax", "ring",
        "sms", "text",
        "whatsapp", "hotline", "office", "reach", "contact", "answering", "message", "messages", "voicemail", "landline", "handy",
        "telefon",
        "telefonnummer", "rufnummer", "mobil", "anrufen", "téléphone", "telefono", "teléfono", "móvil", "celular", "telefone", "cellulare",
        "telefoon");

    static readonly FrozenSet<string> Others = FrozenSet.Create(StringComparer.OrdinalIgnoreCase,
        "order", "orders", "invoice", "ticket", "account", "id", "ref", "reference", "tracking", "card", "case", "version", "isbn", "sku",
        "zip", "box",
        "address", "total", "amount", "bestellung", "rechnung", "apt", "p", "po", "serial", "license", "licence", "ssn");

    /// <summary>
    /// Regions with a numbering plan of their own, the larger ones first; those that share a calling code stand for the others.
    /// </summary>
    static readonly string[] World =
    [
        "US", "GB", "DE", "FR", "ES", "IT", "IN", "AU", "BR", "NL", "BE", "CH", "AT", "PT", "PL", "SE", "NO", "DK", "FI", "IE", "CZ", "SK",
        "HU", "RO",
        "BG", "GR", "HR", "SI", "EE", "LT", "LV", "IS", "TR", "IL", "ZA", "NZ", "MX", "AR", "CL", "CO", "PE", "JP", "KR", "CN", "HK", "SG",
        "MY", "TH",
        "PH", "ID", "VN", "AE", "SA", "EG", "NG", "KE", "MA", "TN", "UA", "RU", "CY", "LU", "MT", "UY", "GL", "PK",
    ];

    static readonly PhoneNumberUtil Numbers = PhoneNumberUtil.GetInstance();

    static readonly (string Region, int Code)[] WorldCodes = [.. World.Select(region => (region, Numbers.GetCountryCodeForRegion(region)))];

    public string Name => "phone";

    public void Find(ScannedText text, List<FoundSpan> found)
    {
        var wide = MaxWideTries;
        foreach (var row in Rows(text))
        {
            // A table or a list of numbers; trying all its parts would take the square of its length.
            if (row.Count > MaxGroups)
                continue;
            // The whole row, else as many of its groups as make a number: an address may stand before it.
            for (var first = 0; first < row.Count; first++)
                for (var last = row.Count - 1; last >= first; last--)
                    if (Start(text, row[first]) is var start && IsPhone(text, row, first, last, start, ref wide))
                    {
                        found.Add(new(start, row[last].End - start, Name));
                        first = row.Count;
                        break;
                    }
        }
    }

    bool IsPhone(ScannedText text, List<DigitGroup> row, int first, int last, int start, ref int wide)
    {
        var end = row[last].End;
        var digits = 0;
        for (var i = first; i <= last; i++)
            digits += row[i].Length;
        if (digits is < MinDigits or > MaxDigits + 3 || text.IsWord(start - 1) || text.IsWord(end) || IsInside(text, start, end))
            return false;
        var raw = text.Plain[start..end];
        var isNear = text.HasNear(start, end, Context, before: 50, after: 12);
        if (raw[0] == '+' || raw.StartsWith("00", StringComparison.Ordinal) && digits > 10)
            return TryParse(raw[0] == '+' ? raw : "+" + raw[2..], "ZZ") is { } full
                && (Numbers.IsValidNumber(full) || isNear && Numbers.IsPossibleNumber(full));
        if (LooksLikeDate(raw) || text.LastWordBefore(start, Others, before: 16) > text.LastWordBefore(start, Context, before: 50))
            return false;
        if (!isNear && !IsWrittenAsPhone(text, row, first, last, raw))
            return false;
        foreach (var region in regions)
            if (TryParse(raw, region) is { } number && Numbers.IsValidNumberForRegion(number, region))
                return true;
        if (!isNear && row.Count > 4 || wide == 0)
            return false;
        wide--;
        return isNear && IsValidSomewhere(text, row, first, last);
    }

    /// <summary>Without parsing: the digits, with and without a trunk prefix, against each region's plan.</summary>
    static bool IsValidSomewhere(ScannedText text, List<DigitGroup> row, int first, int last)
    {
        Span<char> digits = stackalloc char[MaxDigits + 3];
        var count = 0;
        for (var i = first; i <= last; i++)
        {
            text.Plain.AsSpan(row[i].Start, row[i].Length).CopyTo(digits[count..]);
            count += row[i].Length;
        }
        var national = digits[..count];
        var trunk = national[0] == '0';
        if (!ulong.TryParse(national, out var value) || value == 0)
            return false;
        foreach (var (region, code) in WorldCodes)
        {
            var number = new PhoneNumber.Builder().SetCountryCode(code).SetNationalNumber(value);
            if (trunk && code == 39)
                number.SetNumberOfLeadingZeros(1);
            if (Numbers.IsValidNumberForRegion(number.Build(), region))
                return true;
        }
        return false;
    }

    static PhoneNumber? TryParse(string raw, string region)
    {
        try
        {
            return Numbers.Parse(raw, region);
        }
        catch (NumberParseException)
        {
            return null;
        }
    }

    /// <summary>Part of a longer identifier, a decimal, an amount or a path.</summary>
    static bool IsInside(ScannedText text, int start, int end) =>
        start > 0 && text[start - 1] is '#' or '$' or '€' or '£' or '_' or '@' or '=' && text[start] != '+'
        || start > 1 && text[start - 1] is '.' or ',' or '-' or '/' && text.IsWord(start - 2)
        || end < text.Length && (
            text[end] is '%' or '_' or '@' || text[end] is '.' or ',' or '/' && text.IsDigit(end + 1) || text[end] == ':'
                && text.IsDigit(end + 1));

    /// <summary>In groups, with a trunk prefix or an area code in brackets, or 3-3-4 as in North America.</summary>
    static bool IsWrittenAsPhone(ScannedText text, List<DigitGroup> row, int first, int last, string raw)
    {
        if (first == last || Enumerable.Range(first, last - first)
            .Any(i => text[row[i].End] == '.' && row[i + 1].Length == 3 && row[first].Length < 3))
            return false;
        return raw[0] is '0' or '('
            || last >= first + 2 && row[last].Length == 4 && row[last - 1].Length == 3 && row[last - 2].Length == 3
                && (last == first + 2 || last == first + 3 && row[first].Length == 1);
    }

    static bool LooksLikeDate(string raw) =>
        raw.Length is 8 or 9 or 10 && raw.Count(c => c is '-' or '/' or '.') == 2 && !raw.Contains(' ', StringComparison.Ordinal)
        && raw.Split('-', '/', '.') is [var a, var b, var c] && b.Length <= 2
        && (a.Length == 4 && c.Length <= 2 || c.Length == 4 && a.Length <= 2);

    static int Start(ScannedText text, DigitGroup first)
    {
        var start = first.Start;
        if (start > 0 && text[start - 1] == '(')
            start--;
        return start > 0 && text[start - 1] == '+' ? start - 1 : start;
    }

    /// <summary>Groups of digits with at most three of <c>-./ ()</c> between them.</summary>
    static IEnumerable<List<DigitGroup>> Rows(ScannedText text)
    {
        for (var i = 0; i < text.Length;)
        {
            if (!text.IsDigit(i))
            {
                i++;
                continue;
            }
            var row = new List<DigitGroup>();
            while (true)
            {
                var start = i;
                while (text.IsDigit(i))
                    i++;
                row.Add(new(start, i - start));
                var next = i;
                while (next < text.Length && next - i < 3 && text[next] is ' ' or '-' or '.' or '/' or '(' or ')')
                    next++;
                if (next == i || !text.IsDigit(next))
                    break;
                i = next;
            }
            yield return row;
        }
    }
}
