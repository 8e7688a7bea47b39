namespace Flywheel.Tests.Models;

/// <summary>The public data sets beside the repository; FLYWHEEL_DATA names another folder.</summary>
internal static class SharedData
{
    private static string Folder
    {
        get
        {
            if (Environment.GetEnvironmentVariable("FLYWHEEL_DATA") is { Length: > 0 } given)
                return given;
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (Directory.Exists(System.IO.Path.Combine(folder.FullName, "shared", "data")))
                    return System.IO.Path.Combine(folder.FullName, "shared", "data");
            throw new DirectoryNotFoundException(
                $"No folder above {AppContext.BaseDirectory} holds shared/data. Put the data there or set FLYWHEEL_DATA.");
        }
    }

    /// <summary>Where a file of a set is.</summary>
    public static string Path(string set, string file) => System.IO.Path.Combine(Folder, set, file);

    /// <summary>All columns of a CSV file (RFC 4180), without its header.</summary>
    public static List<List<string>> Table(string set, string file) => [.. Records(File.ReadAllText(Path(set, file))).Skip(1)];

    /// <summary>The first two columns of a CSV file (RFC 4180), without its header.</summary>
    public static List<(string Text, string Label)> Rows(string set, string file)
    {
        var rows = new List<(string, string)>();
        foreach (var fields in Records(File.ReadAllText(System.IO.Path.Combine(Folder, set, file))))
            rows.Add((fields[0], fields[1]));
        rows.RemoveAt(0);
        return rows;
    }

    private static IEnumerable<List<string>> Records(string csv)
    {
        var fields = new List<string>();
        var at = 0;
        while (at < csv.Length)
        {
            fields.Add(Field(csv, ref at));
            if (at < csv.Length && csv[at] == ',')
            {
                at++;
                continue;
            }

            while (at < csv.Length && csv[at] is '\r' or '\n')
                at++;
            yield return fields;
            fields = [];
        }
    }

    private static string Field(string csv, ref int at)
    {
        if (csv[at] != '"')
        {
            var end = csv.AsSpan(at).IndexOfAny(',', '\r', '\n');
            var plain = end < 0 ? csv[at..] : csv.Substring(at, end);
            at += plain.Length;
            return plain;
        }

        var quoted = new System.Text.StringBuilder();
        for (at++; csv[at] != '"' || at + 1 < csv.Length && csv[at + 1] == '"'; at++)
        {
            if (csv[at] == '"')
                at++;
            quoted.Append(csv[at]);
        }

        at++;
        return quoted.ToString();
    }
}
