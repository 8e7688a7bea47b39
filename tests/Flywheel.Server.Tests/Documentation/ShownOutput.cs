using System.Text.RegularExpressions;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>Compares what a page shows with what a command printed.</summary>
/// <remarks>White space, ids, times and numbers do not count, since they differ from run to run; <c>…</c> stands for anything.</remarks>
static partial class ShownOutput
{
    /// <returns>The shown lines that the output does not have.</returns>
    public static IReadOnlyList<string> Missing(string shown, string output)
    {
        var plain = Plain(output);
        return [.. shown.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !Pattern(line).IsMatch(plain))];
    }

    static Regex Pattern(string line) =>
        new(string.Join(".*?", Plain(line).Split('…').Select(Regex.Escape)), RegexOptions.NonBacktracking);

    static string Plain(string text) => Space().Replace(Number().Replace(Time().Replace(Id().Replace(text, "#"), "#"), "#"), "");

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-(?:…|[0-9a-f]{4}-(?:…|[0-9a-f]{4}-[0-9a-f]{12}))|(?<=-)[0-9a-f]{16}\\b")]
    private static partial Regex Id();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+]\d\d:\d\d)")]
    private static partial Regex Time();

    [GeneratedRegex(@"\d[\d,.]*(?:[eE]-?\d+)?")]
    private static partial Regex Number();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
