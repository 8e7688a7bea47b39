using System.Text.RegularExpressions;

namespace Flywheel.Engine.Models.Offline;

/// <summary>Finds the answers that the text of a prompt allows.</summary>
/// <remarks>
/// Two forms: `Options: a, b, c` (also labels, intents, categories, classes, choices; "one of: a, b or c"), and a
/// list of lines `- option` or `- option: what it stands for`. A name is one word, or at most four that are no
/// sentence, so a list of instructions is not taken for one. The first form found wins.
/// </remarks>
internal static partial class OptionList
{
    private const int LongestName = 4;

    /// <summary>In the prompt's order; none when the text lists no options.</summary>
    public static IReadOnlyList<AnswerOption> Find(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries);
        return InOneLine(lines) ?? InList(lines) ?? [];
    }

    private static List<AnswerOption>? InOneLine(string[] lines)
    {
        foreach (var line in lines)
        {
            if (Heading.Match(line) is not { Success: true } heading)
                continue;
            var names = Separator.Split(heading.Groups["names"].Value.TrimEnd('.', ';'))
                .Select(Clean)
                .Where(name => name.Length > 0)
                .ToList();
            if (names.Count > 1 && names.TrueForAll(IsName))
                return names.ConvertAll(name => new AnswerOption(name, ""));
        }

        return null;
    }

    private static List<AnswerOption>? InList(string[] lines)
    {
        var options = new List<AnswerOption>();
        foreach (var line in lines.Append(""))
        {
            if (Item.Match(line) is { Success: true } item)
            {
                options.Add(new(Clean(item.Groups["name"].Value), item.Groups["description"].Value.Trim()));
                continue;
            }

            if (options.Count > 1 && options.TrueForAll(option => IsName(option.Name)))
                return options;
            options.Clear();
        }

        return null;
    }

    private static bool IsName(string name) => name.Count(' '.Equals) switch
    {
        0 => name.Length > 0,
        < LongestName => name[^1] is not ('.' or '!' or '?'),
        _ => false,
    };

    private static string Clean(string name) => name.Trim().Trim('`', '"', '\'', '*').Trim();

    [GeneratedRegex(@"\b(?:options?|labels?|intents?|categories|classes|choices|one of(?: these| the following)?)\s*:\s*(?<names>\S.*)$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Heading { get; }

    [GeneratedRegex(@"\s*(?:,\s*or\s|,\s*and\s|,|;|\||\s/\s|\sor\s)\s*", RegexOptions.CultureInvariant)]
    private static partial Regex Separator { get; }

    [GeneratedRegex(@"^(?:[-*•]|\d{1,3}[.)])\s+(?<name>[^:–—]+?)(?:(?::|\s+[-–—])\s+(?<description>.*))?$", RegexOptions.CultureInvariant)]
    private static partial Regex Item { get; }
}
