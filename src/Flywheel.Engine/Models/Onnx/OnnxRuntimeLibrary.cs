using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using Microsoft.ML.OnnxRuntime;

namespace Flywheel.Engine.Models.Onnx;

/// <summary>The native half of ONNX Runtime, which is installed on demand: the package with all platforms unpacks to 390 MB.</summary>
internal static class OnnxRuntimeLibrary
{
    /// <summary>Of the managed half; the native half must be the same.</summary>
    public static string Version { get; } =
        typeof(InferenceSession)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] is { } version
        && System.Version.TryParse(version, out var parsed)
        ? parsed.ToString(3) : throw new InvalidOperationException("ONNX Runtime names no version.");

    private static readonly Lock Gate = new();
    private static readonly List<string> Folders = [];

    public static string FileName =>
        OperatingSystem.IsWindows() ? "onnxruntime.dll" : OperatingSystem.IsMacOS() ? "libonnxruntime.dylib" : "libonnxruntime.so";

    public static string PathIn(string? models) => Path.Combine(models ?? ModelFolder.Default, "onnx-runtime", Version, FileName);

    /// <summary>Makes the library loadable: the installed one, or one that the application or system brings.</summary>
    /// <exception cref="ModelSetupException">There is none.</exception>
    public static void Require(string? models)
    {
        lock (Gate)
        {
            if (Folders.Count == 0)
                AssemblyLoadContext.Default.ResolvingUnmanagedDll += static (_, name) => Resolve(name);
            Folders.Add(PathIn(models));
        }

        if (!NativeLibrary.TryLoad("onnxruntime", typeof(InferenceSession).Assembly, null, out _))
            throw new ModelSetupException(
                $"The ONNX embedder needs the native ONNX Runtime {Version}, and neither {PathIn(models)} nor the system has it. "
                + "Run `flywheel models install onnx-runtime`.");
    }

    private static nint Resolve(string name)
    {
        if (!name.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase))
            return 0;
        lock (Gate)
        {
            foreach (var path in Folders)
                if (File.Exists(path) && NativeLibrary.TryLoad(path, out var library))
                    return library;
        }

        return 0;
    }
}
