using System.Text.RegularExpressions;

namespace Flywheel.Server.Tests.Documentation;

/// <summary>The pages hang together: links lead somewhere, lines are short, examples in C# are code that compiles.</summary>
public sealed partial class PageTests
{
    const int Columns = 140;

    public static TheoryData<string> Pages => [.. MarkdownPage.Names];

    public static TheoryData<string> PagesWithCSharp =>
        [.. MarkdownPage.All().Where(page => CSharp().IsMatch(page.Text)).Select(page => page.Name)];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_somewhere(string name) => Assert.Empty(Broken(MarkdownPage.Read(name)));

    [Fact]
    public void A_link_that_leads_nowhere_is_noticed() =>
        Assert.Equal(["nowhere.md", "client.md#nothing"],
            Broken(new("docs/a.md", "[a](nowhere.md), [b](client.md#nothing), [c](client.md), [d](https://dot.net)\n")));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Lines_are_short_apart_from_tables_and_examples(string name) =>
        Assert.DoesNotContain(MarkdownPage.Read(name).ProseLines(), line => line.Length > Columns && !line.StartsWith('|'));

    [Theory]
    [MemberData(nameof(PagesWithCSharp))]
    public void Examples_in_CSharp_are_part_of_code_that_compiles(string name)
    {
        var examples = CSharp().Matches(MarkdownPage.Read(name).Text).Select(match => Squeezed(match.Groups[1].Value)).ToArray();
        var compiled = string.Concat(
            new[] { "samples/ClientTour", "samples/SupportBot", "tests/Flywheel.Tests", "tests/Flywheel.Server.Tests/Documentation" }
            .SelectMany(folder => Directory.GetFiles(Path.Combine(MarkdownPage.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Select(file => Squeezed(File.ReadAllText(file))));

        Assert.All(examples, example => Assert.Contains(example, compiled, StringComparison.Ordinal));
    }

    static List<string> Broken(MarkdownPage page)
    {
        var folder = Path.GetDirectoryName(Path.Combine(MarkdownPage.Root, page.Name))!;
        return [.. page.ProseLines().SelectMany(line => Link().Matches(line)).Select(match => match.Groups[1].Value)
            .Where(link => !link.Contains("://", StringComparison.Ordinal) && !Leads(folder, page, link))];
    }

    static bool Leads(string folder, MarkdownPage page, string link)
    {
        var (path, anchor) = link.Split('#') is [var file, var place] ? (file, place) : (link, null);
        var target = path.Length == 0 ? Path.Combine(MarkdownPage.Root, page.Name) : Path.GetFullPath(Path.Combine(folder, path));
        if (!File.Exists(target))
            return anchor is null && Directory.Exists(target);
        return anchor is null
            || MarkdownPage.Read(Path.GetRelativePath(MarkdownPage.Root, target)).Sections()
            .Any(section => Anchor(section.Title) == anchor);
    }

    /// <summary>As GitHub makes it of a heading.</summary>
    static string Anchor(string title) => NoAnchor().Replace(title.ToLowerInvariant(), "").Replace(' ', '-');

    static string Squeezed(string text) => Space().Replace(text, " ").Trim();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchor();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
