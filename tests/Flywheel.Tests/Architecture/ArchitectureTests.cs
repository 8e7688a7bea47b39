using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Flywheel.Tests.Architecture;

/// <summary>What docs/architecture.md says of the assemblies and their topics.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>
    /// Topics that still depend on each other in a cycle, by assembly. Take an assembly out when its topics no longer do.
    /// </summary>
    static readonly Dictionary<string, string> OpenTopics = new()
    {
        ["Client"] = "The public types are in the root folder, and the folders below use them.",
    };

    /// <summary>Files that still depend on each other in cycles of more than three, by one of them.</summary>
    static readonly Dictionary<string, string> OpenFiles = new()
    {
        ["Flywheel.Server/Gateway/Calls/Relay.cs"] = "The steps of a gateway call use its state, which uses them.",
        ["Flywheel.Server/Features/Mcp/McpHandler.cs"] = "The tools of MCP use their handler, which lists them.",
        ["Flywheel.Engine/Metrics/Schema/JsonSchema.cs"] = "A schema contains schemas, so that keywords compile schemas.",
    };

    [Theory]
    [InlineData("Flywheel.Core")]
    [InlineData("Flywheel.Storage", "Flywheel.Core")]
    [InlineData("Flywheel.Validators", "Flywheel.Core")]
    [InlineData("Flywheel.Engine", "Flywheel.Core")]
    [InlineData("Flywheel.Sandbox", "Flywheel.Core")]
    [InlineData("Flywheel.Client", "Flywheel.Core")]
    [InlineData("Flywheel.Client.Hosting", "Flywheel.Client")]
    public void An_assembly_sees_what_it_may(string project, params string[] allowed) =>
        Assert.Equal(allowed, References(project, "ProjectReference"));

    [Fact]
    public void Core_has_no_packages() => Assert.Empty(References("Flywheel.Core", "PackageReference"));

    [Fact]
    public void Only_the_server_serves_HTTP()
    {
        Assert.Empty(Naming("Microsoft.AspNetCore", "Flywheel.Server/"));
        Assert.NotEmpty(Naming("Microsoft.AspNetCore"));
    }

    [Fact]
    public void Only_storage_and_the_child_of_the_sandbox_reach_a_database()
    {
        Assert.Empty(Naming("Microsoft.Data.Sqlite", "Flywheel.Storage/", "Flywheel.Sandbox/", "Flywheel.Demo/"));
        Assert.Empty(Naming("Npgsql", "Flywheel.Storage/", "Flywheel.Sandbox/"));
        Assert.NotEmpty(Naming("Npgsql"));
    }

    /// <summary>
    /// The demo's own shop is an application's database; the validators of SQL write statements over a statement that they check.
    /// </summary>
    [Fact]
    public void Statements_of_SQL_stand_in_storage()
    {
        string[] mayHold =
        [
            "Flywheel.Storage/", "Flywheel.Sandbox/", "Flywheel.Demo/Orders/", "Flywheel.Engine/Metrics/Sql/",
            "Flywheel.Validators/Code/CallersRows.cs",
            "Flywheel.Validators/Sandboxing/ReadOnlyRole.cs",
        ];
        Assert.DoesNotContain(WithStatements(), path => !mayHold.Any(allowed => path.StartsWith(allowed, StringComparison.Ordinal)));
        Assert.NotEmpty(WithStatements());
    }

    [Fact]
    public void Topics_of_an_assembly_have_no_cycle()
    {
        var cycles = SourceTree.OfProduct().TopicCycles();

        Assert.Empty(cycles.Where(cycle => !cycle.All(topic => OpenTopics.ContainsKey(topic.Split('/')[0])))
            .Select(cycle => string.Join(", ", cycle)));
        // An entry whose cycle is gone is taken out of the list.
        Assert.All(OpenTopics.Keys, name =>
            Assert.Contains(cycles, cycle => cycle.All(topic => topic.StartsWith(name + "/", StringComparison.Ordinal))));
    }

    [Fact]
    public void Files_have_no_cycle_of_more_than_three()
    {
        var cycles = SourceTree.OfProduct().FileCycles().Where(cycle => cycle.Count > 3);

        Assert.Empty(cycles.Where(cycle => !cycle.Any(OpenFiles.ContainsKey)).Select(cycle => string.Join(", ", cycle)));
    }

    [Fact]
    public void A_cycle_is_found()
    {
        var tree = new SourceTree(new Dictionary<string, string>
        {
            ["Flywheel.Core/Labels/Label.cs"] =
                "using Flywheel.Core.Spans;\nnamespace Flywheel.Core.Labels;\npublic sealed record Label(Span Of);",
            ["Flywheel.Core/Spans/Span.cs"] =
                "using Flywheel.Core.Labels;\nnamespace Flywheel.Core.Spans;\npublic sealed record Span(Label? Newest);",
            ["Flywheel.Core/Spans/Quote.cs"] =
                "namespace Flywheel.Core.Spans;\n// A Label is no use of it.\npublic sealed record Quote(Span Of);",
        });

        Assert.Equal(["Core/Labels", "Core/Spans"], Assert.Single(tree.TopicCycles()));
        Assert.Equal(["Flywheel.Core/Labels/Label.cs", "Flywheel.Core/Spans/Span.cs"], Assert.Single(tree.FileCycles()));
    }

    static string[] References(string project, string what) =>
    [
        .. XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj")).Descendants(what)
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/'))),
    ];

    /// <summary>Sources whose code, not their comments, has a word.</summary>
    static IEnumerable<string> Naming(string word, params string[] except) => Code()
        .Where(file => file.Text.Contains(word, StringComparison.Ordinal)
        && !except.Any(allowed => file.Path.StartsWith(allowed, StringComparison.Ordinal)))
        .Select(file => file.Path);

    static IEnumerable<string> WithStatements() => Code().Where(file => Statement().IsMatch(file.Text)).Select(file => file.Path);

    static IEnumerable<(string Path, string Text)> Code() => SourceTree.Sources().Select(path => (
        Path.GetRelativePath(Path.Combine(Repository.Root, "src"), path).Replace('\\', '/'),
        Comment().Replace(File.ReadAllText(path), "")));

    [GeneratedRegex(@"(?<!`)\b(SELECT\b[^`]{1,200}?\bFROM \w|INSERT INTO \S|DELETE FROM \w|CREATE TABLE \w|UPDATE \w+ SET \w)",
        RegexOptions.Singleline)]
    private static partial Regex Statement();

    [GeneratedRegex(@"^\s*//[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
