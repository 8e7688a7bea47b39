using System.Globalization;
using System.Text.Json;
using CsvHelper;

namespace Flywheel.Studies.Detectors;

/// <summary>Rows of the public sets in the folder shared/data beside the repository, or FLYWHEEL_DATA.</summary>
static class StudyData
{
    public static string Folder { get; } = Find();

    public static List<Dictionary<string, string>> Csv(string file)
    {
        using var csv = new CsvReader(new StreamReader(Path.Combine(Folder, file)), CultureInfo.InvariantCulture);
        csv.Read();
        csv.ReadHeader();
        var rows = new List<Dictionary<string, string>>();
        while (csv.Read())
            rows.Add(csv.HeaderRecord!.ToDictionary(name => name, name => csv.GetField(name) ?? ""));
        return rows;
    }

    /// <summary>The text fields of JSONL rows; other fields are left out.</summary>
    public static List<Dictionary<string, string>> Jsonl(string file) =>
        [.. File.ReadLines(Path.Combine(Folder, file)).Select(line => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(line)!
            .Where(field => field.Value.ValueKind == JsonValueKind.String).ToDictionary(field => field.Key, field => field.Value.GetString()!))];

    static string Find()
    {
        if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } given)
            return given;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (Directory.Exists(Path.Combine(folder.FullName, "shared", "data")))
                return Path.Combine(folder.FullName, "shared", "data");
        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} holds shared/data: set FLYWHEEL_DATA.");
    }
}
