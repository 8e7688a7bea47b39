using System.Text.Json;

namespace Flywheel.Tests.Architecture;

/// <summary>What a user of a package installs with it.</summary>
public sealed class PackageTests
{
    static readonly string[] DataPackages = ["libphonenumber-csharp", "SearchPioneer.Lingua"];

    [Theory]
    [InlineData("Flywheel.Core")]
    [InlineData("Flywheel.Storage")]
    [InlineData("Flywheel.Engine")]
    [InlineData("Flywheel.Client")]
    [InlineData("Flywheel.Client.Hosting")]
    public void An_embedded_engine_brings_no_data_of_languages_and_telephone_numbers(string project) =>
        Assert.DoesNotContain(Closure(project), name => DataPackages.Contains(name));

    [Fact]
    public void The_package_of_validators_brings_them() => Assert.Superset(DataPackages.ToHashSet(), Closure("Flywheel.Validators"));

    /// <summary>Every package and project that a project needs, those of its packages included.</summary>
    static HashSet<string> Closure(string project)
    {
        using var built = JsonDocument.Parse(File.ReadAllText(Repository.Built(project, project + ".deps.json")));
        return [.. built.RootElement.GetProperty("libraries").EnumerateObject().Select(library => library.Name.Split('/')[0])];
    }
}
