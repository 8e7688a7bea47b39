using System.Text;

namespace Flywheel.Tests.Retrieval;

/// <summary>Rows of a public intent set from the folder shared/data beside the repository, or FLYWHEEL_DATA.</summary>
internal static class SharedIntents
{
    public static List<(string Text, string Intent)> Read(string file)
    {
        var path = Path.Combine(Folder(), file);
        Assert.True(File.Exists(path), $"{path} is missing: set FLYWHEEL_DATA to the folder that holds it.");
        return [.. Records(File.ReadAllText(path)).Skip(1).Select(record => (record[0], record[1]))];
    }

    private static string Folder()
    {
        if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } set)
            return set;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var data = Path.Combine(folder.FullName, "shared", "data");
            if (Directory.Exists(data))
                return data;
        }

        throw new DirectoryNotFoundException("No folder shared/data above the tests: set FLYWHEEL_DATA.");
    }

    private static IEnumerable<string[]> Records(string csv)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < csv.Length; i++)
        {
            if (csv[i] == '"' && quoted && i + 1 < csv.Length && csv[i + 1] == '"')
            {
                field.Append(csv[i++]);
            }
            else if (csv[i] == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && csv[i] is ',' or '\n')
            {
                fields.Add(field.ToString().TrimEnd('\r'));
                field.Clear();
                if (csv[i] == '\n')
                {
                    yield return [.. fields];
                    fields.Clear();
                }
            }
            else
            {
                field.Append(csv[i]);
            }
        }
    }
}
