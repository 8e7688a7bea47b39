using System.Diagnostics;

namespace Flywheel.Crash.Tests;

/// <summary>What users install, made once for the tests that try it: a feed of packages, the tool, a published folder.</summary>
public sealed class Packages : IAsyncLifetime
{
    static readonly string[] Projects = ["Core", "Storage", "Engine", "Client", "Client.Hosting", "Server"];

    readonly string folder = Directory.CreateTempSubdirectory("flywheel-packages-").FullName;

    public string Feed => Path.Combine(folder, "feed");

    /// <summary>An empty folder of its own outside the repository.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Feed);
        var packing = Path.Combine(folder, "pack.proj");
        // One MSBuild for all of them: half a minute less than one each.
        await File.WriteAllTextAsync(packing, $"""
            <Project>
              <ItemGroup>
                {string.Join("\n    ", Projects.Select(project => $"""<Packed Include="{Path.Combine(Built.Root, "src", $"Flywheel.{project}", $"Flywheel.{project}.csproj")}" />"""))}
              </ItemGroup>
              <Target Name="Pack">
                <MSBuild Projects="@(Packed)" Targets="Pack" BuildInParallel="true"
                  Properties="Configuration={Built.Configuration};NoBuild=true;PackageOutputPath={Feed}" />
              </Target>
            </Project>
            """);
        await DotnetAsync(folder, "msbuild", packing, "-t:Pack", "-v:q", "-nologo", "-nodeReuse:false", "-m:2");
        // Nothing from the network, and nothing of ours from or into the user's own cache, which might hold another build of this version.
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <packageSources><clear /><add key="feed" value="{Feed}" /></packageSources>
              <fallbackPackageFolders><clear /><add key="user" value="{UserPackages}" /></fallbackPackageFolders>
              <config><add key="globalPackagesFolder" value="{Path.Combine(folder, "cache")}" /></config>
            </configuration>
            """);
    }

    static string UserPackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
        ? set
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    public string NuGetConfig => Path.Combine(folder, "nuget.config");

    public static Task<string> DotnetAsync(string workingFolder, params string[] arguments) =>
        RunAsync(workingFolder, Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", arguments);

    /// <summary>What a program printed; fails with all of it when its exit code is not 0.</summary>
    public static async Task<string> RunAsync(string workingFolder, string program, params string[] arguments)
    {
        using var process = Process.Start(StartInfo(workingFolder, program, arguments))!;
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        var errors = process.StandardError.ReadToEndAsync(late.Token);
        var output = await process.StandardOutput.ReadToEndAsync(late.Token);
        await process.WaitForExitAsync(late.Token);
        Assert.True(process.ExitCode == 0,
            $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}\n{await errors}");
        return output;
    }

    public static ProcessStartInfo StartInfo(string workingFolder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = workingFolder,
        };
        // The test runner's own settings of MSBuild are not the user's.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBuild", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        return start;
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}
