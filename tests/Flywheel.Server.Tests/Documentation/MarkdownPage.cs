using System.Text.RegularExpressions;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>One page of the documentation, by the parts that the tests look at.</summary>
/// <param name="Name">Path from the root of the repository.</param>
sealed partial record MarkdownPage(string Name, string Text)
{
    public static string Root { get; } = FindRoot();

    /// <summary>All pages that users read.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. new[] { "README.md", "src", "samples", "docs" }
            .SelectMany(place => place.EndsWith(".md", StringComparison.Ordinal)
                ? [Path.Combine(Root, place)]
                : Directory.GetFiles(Path.Combine(Root, place), "*.md", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(name => !name.Contains("/bin/", StringComparison.Ordinal) && !name.Contains("/obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public static MarkdownPage Read(string name) => new(name, File.ReadAllText(Path.Combine(Root, name)));

    public static IEnumerable<MarkdownPage> All() => Names.Select(Read);

    /// <summary>Each heading with the text up to the next heading of the same level or a higher one.</summary>
    public IEnumerable<(string Title, string Text)> Sections()
    {
        var lines = ProseLines();
        for (var at = 0; at < lines.Count; at++)
            if (Heading().Match(lines[at]) is { Success: true } heading)
            {
                var level = heading.Groups[1].Length;
                var body = lines.Skip(at + 1)
                    .TakeWhile(line => Heading().Match(line) is not { Success: true } next || next.Groups[1].Length > level);
                yield return (heading.Groups[2].Value, string.Join('\n', body));
            }
    }

    /// <summary>Lines outside fenced blocks and comments; a line inside is empty, so that line numbers stay.</summary>
    public IReadOnlyList<string> ProseLines()
    {
        var (fenced, comment) = (false, false);
        return [.. Text.Split('\n').Select(line =>
        {
            var fence = line.StartsWith("```", StringComparison.Ordinal);
            comment |= !fenced && line.StartsWith("<!--", StringComparison.Ordinal);
            var hidden = fenced || fence || comment;
            fenced ^= fence;
            comment &= !line.Contains("-->", StringComparison.Ordinal);
            return hidden ? "" : line;
        })];
    }

    [GeneratedRegex("^(#+) (.*)$")]
    private static partial Regex Heading();

    static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Flywheel.slnx")))
                return folder;
        throw new DirectoryNotFoundException("Run the tests inside the repository: there is no Flywheel.slnx above them.");
    }
}
