using System.Text.Json;

namespace Flywheel.Studies;

/// <summary>The public data sets beside the repository; FLYWHEEL_DATA names another folder.</summary>
static class SharedData
{
    public static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } given)
                return given;
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (Directory.Exists(Path.Combine(folder.FullName, "shared", "data")))
                    return Path.Combine(folder.FullName, "shared", "data");
            throw new DirectoryNotFoundException(
                $"No folder above {AppContext.BaseDirectory} holds shared/data. Put the data there or set FLYWHEEL_DATA.");
        }
    }

    public static IEnumerable<JsonElement> Lines(string set, string file) =>
        File.ReadLines(Path.Combine(Folder, set, file)).Select(line => JsonSerializer.Deserialize<JsonElement>(line));

    /// <summary>Rows of a CSV file whose fields hold neither quotes nor commas, without its header.</summary>
    public static IEnumerable<string[]> PlainCsv(string set, string file) =>
        File.ReadLines(Path.Combine(Folder, set, file)).Skip(1).Select(line => line.Split(','));
}
