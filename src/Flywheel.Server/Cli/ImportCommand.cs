using System.CommandLine;
using Flywheel.Core;
using Flywheel.Engine.Guarding;
using Flywheel.Server.Features.Metrics;
using Flywheel.Server.Hosting;

namespace Flywheel.Server.Cli;

static class ImportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var file = new Argument<string>("file") { Description = "JSONL: spans as POST /api/v1/spans takes them, or the typed rows of `flywheel export`" };
        var command = new Command("import", "Read spans and other rows from a JSONL file; importing twice changes nothing") { file, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path))
                throw new FlywheelException($"There is no file {path}.");
            await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            var owner = await store.Projects.EnsureAsync(parsed.GetValue(project)!, TimeProvider.System.GetUtcNow(), ct);
            using var models = EngineServices.OpenModels(Settings.Load());
            await using var applications = EngineServices.OpenDatabases(Settings.Load());
            await using var scratch = await ScratchSpans.OpenAsync(ct);
            var configuration = Settings.Load();
            await using var sandbox = CodeServices.OpenSandbox(configuration);
            // Imported metrics run in the server, so they may name what the server knows.
            var databases = CodeServices.OfServer(configuration, parsed.GetValue(db) ?? Settings.Server(configuration).Db);
            var registry = EngineServices.FileRegistry(models, scratch, sandbox, databases, applications: applications);
            var rules = new MetricRules(registry);
            store.Spans.Filter = new SpanRedaction(new ActiveGuards(store.Metrics, TimeProvider.System), registry);
            var importer = new RecordImporter(store, owner.Id, rules, TimeProvider.System);
            await Output.ProgressAsync("Importing", parsed.GetValue(json), async report =>
            {
                long done = 0, total = new FileInfo(path).Length;
                foreach (var (line, row) in Rows.Read(path))
                {
                    await importer.AddAsync(line, row, ct);
                    report(done += row.GetRawText().Length, total);
                }
                await importer.FlushAsync(ct);
            });
            if (parsed.GetValue(json))
                Output.Json(new { imported = importer.Imported, rejected = importer.Rejected });
            else
            {
                Console.WriteLine(importer.Imported.Count == 0 ? "Nothing was imported." :
                    "Imported " + string.Join(", ", importer.Imported.Select(each => $"{each.Value:N0} {each.Key}")) + ".");
                foreach (var rejection in importer.Rejected.Take(20))
                    await Console.Error.WriteLineAsync($"{path}, line {rejection.Line}: {rejection.Message}");
                if (importer.Rejected.Count > 20)
                    await Console.Error.WriteLineAsync($"... and {importer.Rejected.Count - 20:N0} more rows were refused.");
            }
            return importer.Rejected.Count == 0 ? Cli.Ok : Cli.Failed;
        });
        return command;
    }
}
