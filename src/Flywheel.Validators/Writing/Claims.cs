using System.Globalization;
using System.Text.RegularExpressions;
using Flywheel.Core.Metrics;

namespace Flywheel.Validators.Writing;

/// <summary>What of a text can be looked up word for word: its numbers, dates, links and names.</summary>
/// <remarks>Months and number words of English; a name is a run of capitalised words, so in German every noun is one.</remarks>
sealed partial class Claims
{
    static readonly string[] Small =
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    static readonly string[] MonthNames =
        ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];

    public HashSet<string> Words { get; } = new(StringComparer.Ordinal);
    public HashSet<decimal> Numbers { get; } = [];
    public List<(int? Year, int Month, int? Day)> Dates { get; } = [];
    public string Text { get; private init; } = "";

    /// <summary>What a context says.</summary>
    public static Claims Of(string context)
    {
        var claims = new Claims { Text = context };
        foreach (var word in Prose.Words(context))
        {
            var folded = Prose.Folded(context, word);
            claims.Words.Add(folded);
            foreach (var part in folded.Split('-'))
                claims.Words.Add(part);
            if (Array.IndexOf(Small, folded) is var number and >= 0)
                claims.Numbers.Add(number);
        }
        foreach (Match found in Number().Matches(context))
            foreach (var value in Values(found))
                claims.Numbers.Add(value);
        foreach (Match found in Date().Matches(context))
            if (Read(found) is { } date)
                claims.Dates.Add(date);
        return claims;
    }

    /// <summary>The things in a text that this context does not hold, in order.</summary>
    public List<FoundSpan> Missing(string text, IReadOnlySet<string> types)
    {
        var missing = new List<FoundSpan>();
        var taken = new bool[text.Length];
        void Take(Match found) => taken.AsSpan(found.Index, found.Length).Fill(true);

        foreach (Match found in Link().Matches(text))
        {
            Take(found);
            var link = found.Value.TrimEnd('.', ',', ';', ':', '!', '?', '/', ')');
            if (types.Contains("links") && !Text.Contains(link, StringComparison.OrdinalIgnoreCase))
                missing.Add(new(found.Index, link.Length, "link"));
        }
        foreach (Match found in ListMark().Matches(text))
            Take(found);
        foreach (Match found in Date().Matches(text))
        {
            if (taken[found.Index] || Read(found) is not { } date)
                continue;
            Take(found);
            if (types.Contains("dates") && !Dates.Exists(known => Agree(known, date)))
                missing.Add(new(found.Index, found.Length, "date"));
        }
        foreach (Match found in Number().Matches(text))
        {
            if (taken[found.Index])
                continue;
            Take(found);
            if (types.Contains("numbers") && !(found.Groups[2].Success ? Values(found).TakeLast(1) : Values(found)).All(Numbers.Contains))
                missing.Add(new(found.Index, found.Length, "number"));
        }
        if (types.Contains("names"))
            missing.AddRange(Names(text, taken));
        return [.. missing.OrderBy(span => span.Start)];
    }

    /// <summary>Share in [0, 1] of the text's words of four letters and more that the context does not hold; 0 without any.</summary>
    public double NewWords(string text)
    {
        var words = Prose.Words(text).Where(word => word.Length >= 4).Select(word => Prose.Folded(text, word)).Distinct().ToArray();
        return words.Length == 0 ? 0 : (double)words.Count(word => !Holds(word)) / words.Length;
    }

    IEnumerable<FoundSpan> Names(string text, bool[] taken)
    {
        var words = Prose.Words(text);
        for (var from = 0; from < words.Count;)
        {
            var to = from;
            while (to < words.Count && IsCapital(words[to])
                && (to == from || !words[to].BeginsSentence && text.AsSpan(words[to - 1].End, words[to].Start - words[to - 1].End) is " "))
                to++;
            if (to == from)
            {
                from++;
                continue;
            }
            var first = words[from];
            // One capitalised word that begins a sentence says nothing, unless it is all capitals.
            var known = to - from == 1 && first.BeginsSentence && !(first.Length > 1 && IsAllCapitals(first.In(text)));
            // A common word in front of a name, as in "The Gold plan".
            var start = first.BeginsSentence && to - from > 1 ? from + 1 : from;
            if (!known && !taken[first.Start] && Enumerable.Range(start, to - start).Any(i => !Holds(Prose.Folded(text, words[i]))))
                yield return new(words[start].Start, words[to - 1].End - words[start].Start, "name");
            from = to;
        }

        bool IsCapital(Word word) =>
            char.IsUpper(text[word.Start]) && (word.Length > 1 || text[word.Start] != 'I') && !word.In(text).StartsWith("I'")
                && !word.In(text).StartsWith("I’");
    }

    static bool IsAllCapitals(ReadOnlySpan<char> word)
    {
        foreach (var c in word)
            if (char.IsLower(c))
                return false;
        return true;
    }

    /// <summary>Plurals count as their singular.</summary>
    bool Holds(string word) =>
        Words.Contains(word) || word.EndsWith('s') && Words.Contains(word[..^1]) || Words.Contains(word + "s")
        || word.Contains('-', StringComparison.Ordinal) && word.Split('-').All(Words.Contains);

    static bool Agree((int? Year, int Month, int? Day) known, (int? Year, int Month, int? Day) said) =>
        known.Month == said.Month && (said.Day is null || known.Day == said.Day)
            && (said.Year is null || known.Year is null || known.Year == said.Year);

    static (int? Year, int Month, int? Day)? Read(Match found)
    {
        int? Group(string name) => found.Groups[name].Success ? int.Parse(found.Groups[name].Value, CultureInfo.InvariantCulture) : null;
        if (Group("m") is { } month)
            return month is >= 1 and <= 12 ? (Group("y"), month, Group("d")) : null;
        var named = found.Groups["month"].Value.ToLowerInvariant();
        var (year, day) = (Group("y2"), Group("d1") ?? Group("d2"));
        // "May" and "March" alone are mostly other words, and short forms other things.
        if (year is null && day is null && (named is "may" or "march" || !MonthNames.Contains(named)))
            return null;
        return (year, 1 + Array.FindIndex(MonthNames, name => name.StartsWith(named[..3], StringComparison.Ordinal)), day);
    }

    /// <summary>The number as written, and times its unit: 3 and 3,000,000 for "3 million".</summary>
    static IEnumerable<decimal> Values(Match found)
    {
        var digits = found.Groups[1].Value;
        var plain = Thousands().IsMatch(digits) ? digits.Replace(",", "", StringComparison.Ordinal) : digits.Replace(',', '.');
        if (!decimal.TryParse(plain, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            // 1.2.3, a version or a section: its parts.
            foreach (var part in digits.Split('.', ','))
                if (decimal.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var each))
                    yield return each;
            yield break;
        }
        var unit = found.Groups[2]
            .Value.ToLowerInvariant() switch { "thousand" or "k" => 1_000m, "million" => 1_000_000m, "billion" => 1_000_000_000m, _ => 1m };
        yield return value;
        if (unit > 1 && value < 1_000_000_000_000m)
            yield return value * unit;
    }

    [GeneratedRegex(@"\b(?:https?://|www\.)[^\s<>""\])]+|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", RegexOptions.IgnoreCase)]
    private static partial Regex Link();

    [GeneratedRegex(@"^[ \t]*[0-9]{1,2}[.)](?=\s)", RegexOptions.Multiline)]
    private static partial Regex ListMark();

    [GeneratedRegex(@"(?<![\w.])([0-9]+(?:[.,][0-9]+)*)(?:\s?(thousand|million|billion|k)\b)?", RegexOptions.IgnoreCase)]
    private static partial Regex Number();

    [GeneratedRegex(@"^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$")]
    private static partial Regex Thousands();

    [GeneratedRegex(@"\b(?<y>[0-9]{4})-(?<m>[0-9]{2})-(?<d>[0-9]{2})\b|\b(?:(?<d1>[0-9]{1,2})(?:st|nd|rd|th)?\.? (?:of )?)?(?<month>January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec)\b\.?(?: (?<d2>[0-9]{1,2})(?:st|nd|rd|th)?\b(?![0-9]))?(?:,? (?<y2>[0-9]{4})\b)?")]
    private static partial Regex Date();
}
