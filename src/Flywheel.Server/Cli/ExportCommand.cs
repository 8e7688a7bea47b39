using System.CommandLine;
using Flywheel.Engine.Archives;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

static class ExportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var outFile = new Option<string?>("--out") { Description = "JSONL file, or folder for Parquet (default: standard output)" };
        var format = new Option<string>(
            "--format") { Description = "jsonl, or parquet: a folder with one file per type", DefaultValueFactory = _ => "jsonl" };
        var what = new Option<string[]>("--what")
        {
            Description = "Types of rows, such as span, verdict, label (default: all)",
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command(
            "export", "Write all rows of a project as of one moment; `flywheel import` reads them into either database") { db, project,
            what, outFile, format };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(format) is not ("jsonl" or "parquet"))
                throw new UsageException($"--format `{parsed.GetValue(format)}`: use jsonl or parquet.");
            var path = parsed.GetValue(outFile);
            if (parsed.GetValue(format) == "parquet" && path is null)
                throw new UsageException("--out is missing: Parquet files go into a folder.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var caller = CommandCaller.Of(await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct));
            await using var engine = CommandEngine.OverData(store);
            await using IArchiveOutput output = parsed.GetValue(format) == "parquet" ? new ParquetOutput(path!) : new JsonLinesOutput(path);
            var rows = await Output.ProgressAsync("Exporting", path is null, report =>
                engine.Get<ArchiveExportService>().ExportAsync(caller, parsed.GetValue(what) ?? [], output, report, ct));
            if (path is not null)
                await Console.Error.WriteLineAsync($"{rows:N0} rows written to {path}.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
