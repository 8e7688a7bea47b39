namespace Flywheel.Server.Tests.Telemetry;

/// <summary>The recorded requests, which stand beside the repository and are no part of it.</summary>
static class TelemetryData
{
    public static string Find(string path)
    {
        if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } given && Exists(Path.Combine(given, path)))
            return Path.Combine(given, path);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Exists(Path.Combine(folder.FullName, "shared", "data", path)))
                return Path.Combine(folder.FullName, "shared", "data", path);
        throw new DirectoryNotFoundException(
            $"{path} was not found under shared/data above {AppContext.BaseDirectory}: set FLYWHEEL_DATA to the data folder.");
    }

    public static byte[] Read(string path) => File.ReadAllBytes(Find(path));

    static bool Exists(string path) => File.Exists(path) || Directory.Exists(path);
}
