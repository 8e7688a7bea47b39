using System.Text.RegularExpressions;

namespace Flywheel.Tests.Client;

/// <summary>The page users copy from says what compiles.</summary>
public sealed partial class DocumentationTests
{
    [Fact]
    public void Every_example_of_the_client_page_is_code_that_compiles()
    {
        var root = Root();
        var page = File.ReadAllText(Path.Combine(root, "docs", "client.md"));
        var compiled = string.Concat(
            Directory.GetFiles(Path.Combine(root, "samples", "ClientTour"), "*.cs")
                .Append(Path.Combine(root, "tests", "Flywheel.Tests", "Client", "DocumentationExamples.cs"))
                .Append(Path.Combine(root, "tests", "Flywheel.Tests", "Client", "SemanticKernelTests.cs"))
                .Select(file => Squeezed(File.ReadAllText(file))));

        var examples = Example().Matches(page);

        Assert.True(examples.Count >= 5, $"{examples.Count} examples found");
        Assert.All(examples, example => Assert.Contains(Squeezed(example.Groups[1].Value), compiled, StringComparison.Ordinal));
    }

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();

    static string Squeezed(string text) => Space().Replace(text, " ").Trim();

    static string Root()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Flywheel.slnx")))
                return folder;
        throw new DirectoryNotFoundException("The tests must run from inside the repository: Flywheel.slnx was not found above them.");
    }
}
