using System.Text.RegularExpressions;

namespace Flywheel.Engine.Models.Offline;

/// <summary>Takes away what all messages of a prompt have in common (templates, fences), so that only what differs is compared.</summary>
/// <remarks>
/// First whole lines, where random marks such as `&lt;&lt;&lt;DATA-9f3a21bc77` count as equal; then what all begin with up to a
/// punctuation mark ("Message:") or end with from one on. Words that people happen to share stay. A step that would
/// leave a message empty is not taken: equal messages stay equal, not empty.
/// </remarks>
internal static partial class SharedText
{
    /// <param name="texts">In any order.</param>
    /// <returns>The texts in the same order; unchanged when there is only one.</returns>
    public static IReadOnlyList<string> Strip(IReadOnlyList<string> texts)
    {
        if (texts.Count < 2)
            return texts;
        return WithoutSharedEnds(WithoutSharedLines(texts));
    }

    private static IReadOnlyList<string> WithoutSharedLines(IReadOnlyList<string> texts)
    {
        var lines = texts.Select(text => text.Split('\n', StringSplitOptions.TrimEntries)).ToList();
        var shared = new HashSet<string>(lines[0].Select(Mask));
        foreach (var message in lines.Skip(1))
            shared.IntersectWith(message.Select(Mask));
        if (shared.Count == 0)
            return texts;

        return Unless(texts, [.. lines.Select(message => string.Join('\n', message.Where(line => !shared.Contains(Mask(line)))))]);
    }

    private static IReadOnlyList<string> WithoutSharedEnds(IReadOnlyList<string> texts)
    {
        var words = texts.Select(text => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToList();
        var shortest = words.Min(message => message.Length);
        var first = 0;
        while (first < shortest && words.TrueForAll(message => message[first] == words[0][first]))
            first++;
        var last = 0;
        while (last < shortest - first && words.TrueForAll(message => message[^(last + 1)] == words[0][^(last + 1)]))
            last++;
        while (first > 0 && char.IsLetterOrDigit(words[0][first - 1][^1]))
            first--;
        while (last > 0 && char.IsLetterOrDigit(words[0][^last][0]))
            last--;
        if (first + last == 0)
            return texts;

        return Unless(texts, [.. words.Select(message => string.Join(' ', message[first..^last]))]);
    }

    private static IReadOnlyList<string> Unless(IReadOnlyList<string> texts, List<string> stripped) =>
        stripped.Exists(string.IsNullOrWhiteSpace) ? texts : stripped;

    private static string Mask(string line) => RandomMark.Replace(line, "#");

    // At least eight letters and digits, a digit among them.
    [GeneratedRegex(@"\b(?=[0-9A-Za-z]*[0-9])[0-9A-Za-z]{8,}\b", RegexOptions.CultureInvariant)]
    private static partial Regex RandomMark { get; }
}
