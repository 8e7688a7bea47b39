using System.Text.RegularExpressions;

namespace Flywheel.Crash.Tests;

/// <summary>
/// The benchmarks and studies as the documentation prints them, from the repository's root, with the least of their work.
/// </summary>
public sealed partial class DocumentedCommandTests
{
    /// <summary>Words that stand for something, and settings that need another server or package.</summary>
    static readonly (string Printed, string Given)[] Placeholders =
    [
        ("review SET SEEDS", "review bitext 1"), ("accuracy SET", "accuracy bitext"), ("[ROWS...] --data NAME", "1000 --data spread"),
        ("--postgres postgres://…", ""), ("--postgres URL", ""), ("--portkey FOLDER", ""),
        ("--demonstrations 100000", "--demonstrations 200"), ("halueval", "xstest"),
    ];

    /// <summary>Of the studies of detectors a part takes minutes: they are run by hand.</summary>
    const string TooLong = "studies/Flywheel.Studies.Detectors";

    public static TheoryData<string> Commands() => [.. Directory.GetFiles(Path.Combine(Built.Root, "docs"), "*.md")
        .SelectMany(page => Command().Matches(File.ReadAllText(page)))
        .Select(match => $"{match.Groups["project"]} {match.Groups["words"].Value.Trim()}".Trim())
        .Where(command => !command.StartsWith(TooLong, StringComparison.Ordinal))
        .Distinct().Order()];

    [Fact]
    public void The_documentation_has_such_commands() => Assert.True(Commands().Count >= 10, $"{Commands().Count} commands");

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Each_command_works_as_it_is_printed(string command)
    {
        foreach (var (printed, given) in Placeholders)
            command = command.Replace(printed, given, StringComparison.Ordinal);
        var words = command.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

        var program = Built.Program(words[0], words[0].Split('/')[^1] + ".dll");

        await Packages.DotnetAsync(Built.Root, [program, .. words[1..], "--check"]);
    }

    [GeneratedRegex(@"dotnet run (?:-c Release )?--project (?<project>(?:bench|studies)/[\w.]+)(?: -c Release)?(?: --(?!\w)(?<words>[^`#]*?))?(?=`|\s+#|\n```|\ndotnet)")]
    private static partial Regex Command();
}
