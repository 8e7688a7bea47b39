using System.Text;

namespace Flywheel.Bench.Retrieval;

/// <summary>A text with its intent.</summary>
internal readonly record struct Row(string Text, string Intent);

/// <summary>The public intent sets in the folder shared/data beside the repository (or FLYWHEEL_DATA).</summary>
internal static class IntentData
{
    public static (List<Row> Train, List<Row> Test) Banking77() =>
        (Read("intents_banking77/train.csv"), Read("intents_banking77/test.csv"));

    /// <summary>In-scope rows only: the others have no intent to be right about.</summary>
    public static (List<Row> Train, List<Row> Test) Clinc150() =>
        (InScope(Read("intents_clinc150/train.csv")), InScope(Read("intents_clinc150/test.csv")));

    /// <summary>Insurance calls; no split is given, so every fourth row tests.</summary>
    public static (List<Row> Train, List<Row> Test) Dstc11() => EveryFourth(Read("intents_dstc11/insurance.csv"));

    public static (List<Row> Train, List<Row> Test) Bitext() => EveryFourth(Read("intents_bitext_support/support.csv"));

    public static (List<Row> Train, List<Row> Test) Named(string name) => name switch
    {
        "banking77" => Banking77(),
        "clinc150" => Clinc150(),
        "dstc11" => Dstc11(),
        "bitext" => Bitext(),
        _ => throw new ArgumentException($"No set is called {name}: banking77, clinc150, dstc11 or bitext."),
    };

    private static List<Row> InScope(List<Row> rows) => [.. rows.Where(row => row.Intent != "oos")];

    private static (List<Row>, List<Row>) EveryFourth(List<Row> rows) =>
        ([.. rows.Where((_, i) => i % 4 != 3)], [.. rows.Where((_, i) => i % 4 == 3)]);

    private static List<Row> Read(string file)
    {
        var path = Path.Combine(Folder(), file);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{path} is missing: set FLYWHEEL_DATA to the folder that holds it.");
        var lines = Records(File.ReadAllText(path));
        int text = Array.IndexOf(lines[0], "text"), intent = Array.IndexOf(lines[0], "intent");
        return [.. lines.Skip(1).Where(l => l.Length > Math.Max(text, intent)).Select(l => new Row(l[text], l[intent]))];
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

        throw new DirectoryNotFoundException("No folder shared/data above this program: set FLYWHEEL_DATA.");
    }

    private static List<string[]> Records(string csv)
    {
        var records = new List<string[]>();
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < csv.Length; i++)
        {
            var c = csv[i];
            if (c == '"' && quoted && i + 1 < csv.Length && csv[i + 1] == '"')
            {
                field.Append('"');
                i++;
            }
            else if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && c is ',' or '\n')
            {
                fields.Add(field.ToString().TrimEnd('\r'));
                field.Clear();
                if (c == '\n')
                {
                    records.Add([.. fields]);
                    fields.Clear();
                }
            }
            else
            {
                field.Append(c);
            }
        }

        return records;
    }
}
