using System.Reflection;
using Flywheel.Client;
using Flywheel.Client.Hosting;
using Flywheel.Core.Metrics;
using Flywheel.Engine.Composition;
using Flywheel.Storage;
using Flywheel.Validators;

namespace Flywheel.Tests.Architecture;

/// <summary>The public API of the packages is what the files in <c>Api</c> say, so that no change of it goes unseen.</summary>
/// <remarks>To accept a change: <c>FLYWHEEL_ACCEPT_API=1 tests/Flywheel.Tests/bin/Release/net10.0/Flywheel.Tests -class
/// "*PublicApiTests"</c>.</remarks>
public sealed class PublicApiTests
{
    static readonly Assembly[] PackageAssemblies =
    [
        typeof(Metric).Assembly, typeof(FlywheelConnection).Assembly, typeof(FlywheelHostOptions).Assembly,
        typeof(EngineComposition).Assembly,
        typeof(FlywheelStore).Assembly, typeof(LeafValidators).Assembly,
    ];

    public static TheoryData<string> Packages => [.. PackageAssemblies.Select(package => package.GetName().Name!)];

    [Theory]
    [MemberData(nameof(Packages))]
    public void The_public_API_of_a_package_is_the_one_on_file(string package)
    {
        var file = Path.Combine(Repository.Root, "tests", "Flywheel.Tests", "Architecture", "Api", package + ".txt");
        var now = PublicApi.Of(PackageAssemblies.Single(assembly => assembly.GetName().Name == package));
        if (Environment.GetEnvironmentVariable("FLYWHEEL_ACCEPT_API") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllLines(file, now);
        }

        var kept = File.ReadAllLines(file);

        const string Remedy = "If it is meant, run this test with FLYWHEEL_ACCEPT_API=1 and commit the file.";
        Assert.True(now.SequenceEqual(kept), string.Join('\n',
            [$"The public API of {package} changed. {Remedy}", .. now.Except(kept).Select(line => "+ " + line),
                .. kept.Except(now).Select(line => "- " + line)]));
    }

    [Fact]
    public void The_public_API_names_types_and_members()
    {
        var api = PublicApi.Of(typeof(Metric).Assembly);

        Assert.Contains("enum Flywheel.Core.Metrics.Outcome", api);
        Assert.Contains("Flywheel.Core.Metrics.Outcome.Fail = 1", api);
        Assert.Contains("Flywheel.Core.Metrics.IValidator.Version: System.String get", api);
        Assert.DoesNotContain(api, line => line.Contains("Flywheel.Core.Quote", StringComparison.Ordinal));
    }
}
