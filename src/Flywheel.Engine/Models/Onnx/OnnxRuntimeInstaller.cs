using System.Runtime.InteropServices;

namespace Flywheel.Engine.Models.Onnx;

/// <summary>
/// Fetches the native ONNX Runtime (MIT, 160 MB for all platforms) from NuGet and keeps this platform's part, some 30 MB.
/// </summary>
/// <param name="models">The folder of models; null for <see cref="ModelFolder.Default"/>.</param>
/// <param name="dotnet">The .NET SDK's client: a name on PATH, or a path.</param>
public sealed class OnnxRuntimeInstaller(string? models = null, string dotnet = "dotnet")
{
    private const string Package = "Microsoft.ML.OnnxRuntime";

    /// <summary>The library that an installation leaves.</summary>
    public string Path { get; } = OnnxRuntimeLibrary.PathIn(models);

    public bool IsInstalled => File.Exists(Path);

    /// <summary>Installs the library unless it is there; its path.</summary>
    /// <exception cref="ModelSetupException">No .NET SDK, the restore failed, or there is none for this platform.</exception>
    public async Task<string> InstallAsync(IProgress<InstallProgress>? progress, CancellationToken ct)
    {
        if (IsInstalled)
        {
            progress?.Report(new("already installed", 1));
            return Path;
        }

        var folder = System.IO.Path.GetDirectoryName(Path)!;
        Directory.CreateDirectory(folder);
        var work = Directory.CreateDirectory(System.IO.Path.Combine(folder, $".install-{Guid.NewGuid():n}"));
        try
        {
            progress?.Report(new($"fetching {Package} {OnnxRuntimeLibrary.Version} from NuGet (160 MB)", 0));
            var package = await RestoreAsync(work.FullName, ct);
            progress?.Report(new($"keeping the library for {Platform}", 0.9));
            Keep(package, folder);
            progress?.Report(new("installed", 1));
            return Path;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private async Task<string> RestoreAsync(string work, CancellationToken ct)
    {
        // The empty build files keep those of a surrounding repository out.
        await File.WriteAllTextAsync(System.IO.Path.Combine(work, "Directory.Build.props"), "<Project />", ct);
        await File.WriteAllTextAsync(System.IO.Path.Combine(work, "Directory.Build.targets"), "<Project />", ct);
        await File.WriteAllTextAsync(System.IO.Path.Combine(work, "Directory.Packages.props"), "<Project />", ct);
        await File.WriteAllTextAsync(
            System.IO.Path.Combine(work, "fetch.csproj"),
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup><TargetFramework>net{Environment.Version.Major}.0</TargetFramework></PropertyGroup>
              <ItemGroup><PackageDownload Include="{Package}" Version="[{OnnxRuntimeLibrary.Version}]" /></ItemGroup>
            </Project>
            """,
            ct);
        var packages = System.IO.Path.Combine(work, "packages");
        await PackageClient.RunAsync(
            dotnet,
            ["restore", "fetch.csproj", "--packages", packages, "--verbosity", "quiet"],
            work,
            $"`{dotnet}` was not found. The ONNX runtime comes as a NuGet package: install the .NET SDK, or copy "
                + $"{OnnxRuntimeLibrary.FileName} {OnnxRuntimeLibrary.Version} to {Path}.",
            ct);
        return System.IO.Path.Combine(packages, Package.ToLowerInvariant(), OnnxRuntimeLibrary.Version);
    }

    private void Keep(string package, string folder)
    {
        var native = System.IO.Path.Combine(package, "runtimes", Platform, "native");
        var library = System.IO.Path.Combine(native, OnnxRuntimeLibrary.FileName);
        if (!File.Exists(library))
            throw new ModelSetupException($"{Package} {OnnxRuntimeLibrary.Version} has no library for {Platform}.");
        foreach (var text in new[] { "LICENSE", "ThirdPartyNotices.txt" })
            File.Copy(System.IO.Path.Combine(package, text), System.IO.Path.Combine(folder, text), overwrite: true);
        File.Move(library, Path, overwrite: true);
    }

    private static string Platform
    {
        get
        {
            var system = OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux";
            return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
        }
    }
}
