using System.CommandLine;
using System.Text.RegularExpressions;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>What the pages say of commands, routes, kinds and settings, and what is missing.</summary>
static partial class DocumentedSurface
{
    /// <returns>Commands, options and arguments without documentation, and documented options that do not exist.</returns>
    public static IReadOnlyList<string> Wrong(Command root, MarkdownPage page)
    {
        var sections = page.Sections().ToLookup(section => section.Title.Trim('`'), section => section.Text);
        return [.. Commands(root, "flywheel").SelectMany(each => Wrong(each.Name, each.Command, sections[each.Name].FirstOrDefault()))];
    }

    static IEnumerable<string> Wrong(string name, Command command, string? section)
    {
        if (section is null)
            return [$"`{name}` has no section"];
        // A section of a command with subcommands holds theirs: what is said of them is not its own.
        var own = section.Split("\n#")[0];
        var said = OptionName().Matches(own).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var options = command.Options.Where(option => option is not System.CommandLine.Help.HelpOption && !option.Hidden)
            .Select(option => option.Name).ToArray();
        return options.Where(option => !said.Contains(option))
            .Select(option => $"`{name}` has an option {option}, which its section does not name")
            .Concat(said.Where(option => !options.Contains(option))
            .Select(option => $"the section of `{name}` names {option}, which is no option of it"))
            .Concat(command.Arguments.Where(argument => !own.Contains($"`{argument.Name.ToUpperInvariant()}", StringComparison.Ordinal))
                .Select(argument => $"`{name}` has an argument {argument.Name.ToUpperInvariant()}, which its section does not name"));
    }

    /// <summary>Commands that do something, with the words that start them.</summary>
    public static IEnumerable<(string Name, Command Command)> Commands(Command parent, string prefix) =>
        parent.Subcommands.SelectMany(sub =>
        Commands(sub, $"{prefix} {sub.Name}").Concat(sub.Action is null ? [] : [($"{prefix} {sub.Name}", sub)]));

    /// <returns>Routes that only one of the two has: the page, or the server.</returns>
    public static IReadOnlyList<string> Wrong(IEnumerable<string> routes, MarkdownPage page)
    {
        var said = Route().Matches(page.Text).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        var served = routes.ToHashSet(StringComparer.Ordinal);
        return [.. served.Except(said).Select(route => $"{route} is not on the page"),
            .. said.Except(served).Select(route => $"{route} is on the page, and not served")];
    }

    /// <summary>
    /// Is the setting named where the kind is: in a section of the kind, in the kind's rows of a table, or in one paragraph with it?
    /// </summary>
    public static bool Names(IReadOnlyList<MarkdownPage> pages, string kind, string? setting = null) =>
        pages.Any(page => Units(page, kind).Any(unit => setting is null || unit.Contains($"`{setting}`", StringComparison.Ordinal)));

    static IEnumerable<string> Units(MarkdownPage page, string kind)
    {
        var code = $"`{kind}`";
        foreach (var (title, text) in page.Sections())
            if (title.Contains(code, StringComparison.Ordinal))
                yield return text;
        string? row = null;
        var paragraph = "";
        foreach (var line in page.ProseLines().Append(""))
        {
            if (line.StartsWith('|'))
            {
                var first = line.Split('|')[1].Trim();
                row = first.Length > 0 ? first : row;
                if (row is not null && row.Contains(code, StringComparison.Ordinal))
                    yield return line;
                continue;
            }
            row = null;
            if (line.Length > 0)
            {
                paragraph += line + "\n";
                continue;
            }
            if (paragraph.Contains(code, StringComparison.Ordinal))
                yield return paragraph;
            paragraph = "";
        }
    }

    [GeneratedRegex(@"`(--[a-z-]+)[^`]*`")]
    private static partial Regex OptionName();

    [GeneratedRegex(@"`((?:GET|POST|PUT|DELETE) /[^`]*)`")]
    private static partial Regex Route();
}
