using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Flywheel.Core.Sandboxing;

namespace Flywheel.Validators.Sandboxing;

/// <summary>The program that children run: <c>flywheel-sandbox.dll</c> beside this one, on the runtime that runs this one.</summary>
static class SandboxProgram
{
    const string Name = "flywheel-sandbox.dll";

    public static ProcessStartInfo StartInfo(SandboxOpening opening)
    {
        var program = Path.Combine(AppContext.BaseDirectory, Name);
        if (!File.Exists(program))
            throw new SandboxException($"{Name} is missing from {AppContext.BaseDirectory}: it comes with Flywheel, so install that anew.");
        var start = new ProcessStartInfo(Host())
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, CreateNoWindow = true,
            WorkingDirectory = Path.GetPathRoot(AppContext.BaseDirectory),
        };
        start.ArgumentList.Add(program);
        // Nothing of ours is in its environment: neither keys nor addresses.
        start.Environment.Clear();
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        start.Environment["DOTNET_GCHeapHardLimit"] = "0x" + ((long)opening.MemoryMb << 20).ToString("X", CultureInfo.InvariantCulture);
        if (OperatingSystem.IsWindows())
            start.Environment["SystemRoot"] = Environment.GetEnvironmentVariable("SystemRoot");
        return start;
    }

    /// <summary><c>dotnet</c> itself: this process may be it, or an executable of ours on its runtime.</summary>
    static string Host()
    {
        if (Environment.ProcessPath is { } own && Path.GetFileNameWithoutExtension(own) == "dotnet")
            return own;
        var file = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", file));
        return File.Exists(beside) ? beside : file;
    }
}
