using System.Globalization;
using System.Text;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>Unicode's NFKC, as far as the vocabulary of Universal Sentence Encoder lite can tell.</summary>
/// <remarks>
/// Invariant globalisation has no normalisation tables: <see cref="string.Normalize()"/> returns its input. The
/// embedded table holds the mappings that lead to a character of the vocabulary; all others are unknown to the model
/// before and after. Departure: a run of several marks on one base is not reordered before it is composed.
/// </remarks>
internal static class CompatibilityForm
{
    private static readonly Lazy<Tables> s_tables = new(Read);

    public static string Of(string text)
    {
        if (Ascii.IsValid(text))
            return text;

        var tables = s_tables.Value;
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

    private static Tables Read()
    {
        using var stream = typeof(CompatibilityForm).Assembly.GetManifestResourceStream("use-lite/nfkc.txt")!;
        using var reader = new StreamReader(stream);
        var tables = new Tables([], []);
        while (reader.ReadLine() is { } line)
        {
            if (line.Length == 0 || line[0] == '#')
                continue;
            var parts = line.Split('=');
            var to = string.Concat(parts[1].Split(' ').Select(hex => new Rune(Hex(hex)).ToString()));
            if (parts[0].Split('+') is [var letter, var mark])
                tables.Composed[((char)Hex(letter), (char)Hex(mark))] = to[0];
            else if (parts[0].Split('-') is [var first, var last])
                for (int from = Hex(first), offset = 0; from + offset <= Hex(last); offset++)
                    tables.Mapped[from + offset] = ((char)(to[0] + offset)).ToString();
            else
                tables.Mapped[Hex(parts[0])] = to;
        }

        return tables;
    }

    private static int Hex(string digits) => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Tables(Dictionary<int, string> Mapped, Dictionary<(char Base, char Mark), char> Composed);
}
