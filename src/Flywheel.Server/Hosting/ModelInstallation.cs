using Flywheel.Engine.Models;
using Flywheel.Engine.Models.Onnx;
using Flywheel.Engine.Models.UseLite;

namespace Flywheel.Server.Hosting;

/// <summary>Downloads what local embeddings need into the folder of the settings.</summary>
static class ModelInstallation
{
    public static Task<string> InstallUseLiteAsync(IConfiguration configuration, Action<InstallProgress> report, CancellationToken ct) =>
        new UseLiteInstaller(configuration["Models:Folder"]).InstallAsync(new Immediate(report), ct);

    public static Task<string> InstallOnnxRuntimeAsync(
        IConfiguration configuration, Action<InstallProgress> report, CancellationToken ct) =>
        new OnnxRuntimeInstaller(configuration["Models:Folder"]).InstallAsync(new Immediate(report), ct);

    /// <summary>Reports in the caller's order, unlike <see cref="Progress{T}"/>.</summary>
    sealed class Immediate(Action<InstallProgress> report) : IProgress<InstallProgress>
    {
        public void Report(InstallProgress value) => report(value);
    }
}
