using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Flywheel.Server.Cli.Demo;
using Flywheel.Server.Files;
using Flywheel.Server.Hosting;
using Microsoft.Extensions.AI;

namespace Flywheel.Server.Cli;

static class DemoCommand
{
    const string Folder = ".flywheel";
    static readonly int[] DefaultShares = [2, 5, 10, 20];

    public static Command Create()
    {
        var noServe = new Option<bool>("--no-serve") { Description = "Exit after the last round" };
        var json = CommonOptions.Json();
        var data = new Option<string?>("--data") { Description = "Labelled rows of your own, CSV or JSONL (default: the support bot)" };
        var test = new Option<string?>("--test") { Description = "Rows to measure accuracy on (default: a fifth of --data is held out)" };
        var textField = new Option<string>("--text-field") { Description = "Field with the text", DefaultValueFactory = _ => "text" };
        var labelField = new Option<string>(
            "--label-field") { Description = "Field with the expected label", DefaultValueFactory = _ => "intent" };
        var labels = new Option<string?>("--labels")
        {
            Description = "Number of labels after each round, comma-separated, such as 200,500,1000,all (default for --data: 2, 5, 10 and "
                + "20 % of the rows)",
        };
        var port = new Option<int>("--port") { Description = "Port to serve on", DefaultValueFactory = _ => 5151 };
        var command = new Command("demo", "Run the whole loop offline on a sample application or your own rows, then serve the result")
            { data, test, textField, labelField, labels, noServe, port, json };
        command.SetAction(async (parsed, ct) =>
        {
            var quiet = parsed.GetValue(json);
            using var models = EngineServices.OpenModels(Settings.Load());
            using var scenario = parsed.GetValue(data) is { } file
                ? Rows(file, parsed.GetValue(test), parsed.GetValue(textField)!, parsed.GetValue(labelField)!, models.Chat(null))
                : (IDemoScenario)new SupportScenario(models.Chat(null));
            var plan = new DemoPlan(LabelCounts(parsed.GetValue(labels), parsed.GetValue(data) is not null, scenario));
            var db = Fresh();
            var settings = Settings.Load(new Dictionary<string, string?>
            {
                ["Db"] = "sqlite:" + db,
                ["Host"] = "127.0.0.1",
                ["Port"] = parsed.GetValue(port).ToString(CultureInfo.InvariantCulture),
                ["Auth"] = "auto",
                ["otlp_http_port"] = "0",
                ["otlp_grpc_port"] = "0",
            });
            await using var app = await FlywheelHost.BuildAsync(settings, ct);
            var report = await RunAsync(app.Services, scenario, plan, models, db, quiet, ct);
            if (quiet)
                Output.Json(report);
            else
                DemoScreen.End(report, parsed.GetValue(noServe) ? null : parsed.GetValue(port));
            if (parsed.GetValue(noServe))
                return ExitCodes.Ok;
            await app.StartAsync(ct);
            await (quiet ? Console.Error : Console.Out)
                .WriteLineAsync($"Flywheel listens on {FlywheelHost.AddressOf(app)}  (Ctrl+C stops)");
            await app.WaitForShutdownAsync(ct);
            return ExitCodes.Ok;
        });
        return command;
    }

    static async Task<DemoReport> RunAsync(
        IServiceProvider services, IDemoScenario scenario, DemoPlan plan, Engine.Models.ModelRegistry models, string db, bool quiet,
        CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        var demo = ActivatorUtilities.CreateInstance<LoopDemo>(services);
        var model = models.Chat(null).GetService<ChatClientMetadata>();
        var description = new DemoReport(
            scenario.Title, model?.DefaultModelId ?? "?", models.Embedder().Fingerprint, db, scenario.Traffic, scenario.HeldOut,
            "The expected answers that come with the rows play the person, only for the items that the loop asks about.", [], 0);
        using var screen = quiet ? null : DemoScreen.Start(description, scenario);
        var rounds = await demo.RunAsync(
            scenario, plan, round => screen?.Show(round), (what, done, total) => screen?.Progress(what, done, total), ct);
        return description with { Rounds = rounds, ElapsedSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    static RowsScenario Rows(string file, string? test, string textField, string labelField, IChatClient model) =>
        new(Path.GetFileName(file), Read(file, textField, labelField), test is null ? null : Read(test, textField, labelField), model);

    static List<DemoRow> Read(string file, string textField, string labelField)
    {
        var rows = new List<DemoRow>();
        foreach (var (line, row) in RowFile.Read(file))
        {
            var text = RowFile.Required(row, textField, file, line);
            if (text.Length > 0)
                rows.Add(new DemoRow(text, RowFile.Required(row, labelField, file, line)));
        }
        return rows;
    }

    static int[] LabelCounts(string? given, bool ownRows, IDemoScenario scenario)
    {
        var all = scenario.Traffic * scenario.FixableNodes.Count;
        if (given is null)
            return ownRows
                ? [.. DefaultShares.Select(share => Math.Max(1, all * share / 100)).Distinct()]
                : [.. Enumerable.Range(1, 4).Select(round => 150 * round)];
        var counts = given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(word => word == "all" ? all
                : int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 ? count
                : throw new UsageException($"--labels holds `{word}`: give whole numbers above 0, or `all`."))
            .ToArray();
        return counts.Length > 0 && counts.Zip(counts.Skip(1)).All(pair => pair.First < pair.Second)
            ? counts
            : throw new UsageException("--labels must rise from round to round, such as 200,500,1000.");
    }

    /// <summary>A database of the demo's own, new each time.</summary>
    static string Fresh()
    {
        Directory.CreateDirectory(Folder);
        var db = Path.GetFullPath(Path.Combine(Folder, "demo.db"));
        foreach (var suffix in new[] { "", "-wal", "-shm" })
            File.Delete(db + suffix);
        return db;
    }
}
