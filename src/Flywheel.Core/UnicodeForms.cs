using System.Globalization;
using System.Text;

namespace Flywheel.Core;

/// <summary>The Unicode forms that tokenizers expect.</summary>
/// <remarks>
/// Invariant globalisation has no normalisation tables: <see cref="string.Normalize()"/> returns its input. The
/// embedded table holds what leads to a character of the USE-lite vocabulary (Latin above all): a model of English
/// knows no others before or after.
/// </remarks>
internal static class UnicodeForms
{
    private static readonly Lazy<Tables> LazyTables = new(Read);

    /// <summary>NFKC. Departure: several marks on one base are composed as they come, not reordered first.</summary>
    public static string Compatible(string text)
    {
        if (Ascii.IsValid(text))
            return text;

        var tables = LazyTables.Value;
        var mapped = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (tables.Mapped.TryGetValue(rune.Value, out var to))
                mapped.Append(to);
            else
                mapped.Append(rune.ToString());
        }

        for (var i = 1; i < mapped.Length; i++)
        {
            if (!tables.Composed.TryGetValue((mapped[i - 1], mapped[i]), out var one))
                continue;
            mapped[i - 1] = one;
            mapped.Remove(i--, 1);
        }

        return mapped.ToString();
    }

    /// <summary>Letters without their accents, as BERT's uncased models were trained: "Café" is "Cafe".</summary>
    public static string WithoutMarks(string text)
    {
        if (Ascii.IsValid(text))
            return text;

        var bases = LazyTables.Value.Bases;
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) == UnicodeCategory.NonSpacingMark)
                continue;
            if (!rune.IsBmp || !bases.TryGetValue((char)rune.Value, out var letter))
            {
                plain.Append(rune.ToString());
                continue;
            }

            while (bases.TryGetValue(letter, out var barer))
                letter = barer;
            plain.Append(letter);
        }

        return plain.ToString();
    }

    private static Tables Read()
    {
        using var stream = typeof(UnicodeForms).Assembly.GetManifestResourceStream("nfkc.txt")!;
        using var reader = new StreamReader(stream);
        var tables = new Tables([], [], []);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var parts = line.Split('=');
            var to = string.Concat(parts[1].Split(' ').Select(hex => new Rune(Hex(hex)).ToString()));
            if (parts[0].Split('+') is [var letter, var mark])
            {
                tables.Composed[((char)Hex(letter), (char)Hex(mark))] = to[0];
                tables.Bases[to[0]] = (char)Hex(letter);
            }
            else if (parts[0].Split('-') is [var first, var last])
                for (int from = Hex(first), offset = 0; from + offset <= Hex(last); offset++)
                    tables.Mapped[from + offset] = ((char)(to[0] + offset)).ToString();
            else
                tables.Mapped[Hex(parts[0])] = to;
        }

        return tables;
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Tables(
        Dictionary<int, string> Mapped, Dictionary<(char Base, char Mark), char> Composed, Dictionary<char, char> Bases);
}
