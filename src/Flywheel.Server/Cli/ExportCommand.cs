using System.CommandLine;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

static class ExportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var outFile = new Option<string?>("--out") { Description = "JSONL file to write (default: stdout), or the folder for Parquet files" };
        var format = new Option<string>("--format") { Description = "jsonl, or parquet: a folder with a file for each kind of row", DefaultValueFactory = _ => "jsonl" };
        var what = new Option<string[]>("--what")
        {
            Description = "Kinds of rows, such as span, verdict, label (default: all of them)",
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("export", "Write everything of a project, as it stands at one moment; `flywheel import` reads it back, into either database") { db, project, what, outFile, format };
        command.SetAction(async (parsed, ct) =>
        {
            if (parsed.GetValue(format) is not ("jsonl" or "parquet"))
                throw new UsageException($"--format `{parsed.GetValue(format)}`: use jsonl or parquet.");
            var path = parsed.GetValue(outFile);
            if (parsed.GetValue(format) == "parquet" && path is null)
                throw new UsageException("--out is missing: Parquet files go into a folder.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var kinds = Kinds(store.Archives.Kinds, parsed.GetValue(what) ?? []);
            await using IArchiveOutput output = parsed.GetValue(format) == "parquet" ? new ParquetOutput(path!) : new JsonLinesOutput(path);
            var rows = await Output.ProgressAsync("Exporting", path is null, report => WriteAsync(store, owner, kinds, output, report, ct));
            if (path is not null)
                await Console.Error.WriteLineAsync($"{rows:N0} rows written to {path}.");
            return ExitCodes.Ok;
        });
        return command;
    }

    /// <returns>Rows written.</returns>
    internal static async Task<long> WriteAsync(
        IFlywheelStore store, Core.Projects.Project owner, IReadOnlyCollection<ArchiveKind> kinds, IArchiveOutput output, Action<long, long> report, CancellationToken ct)
    {
        long rows = 0, total = 0;
        await store.Archives.ReadAsync(
            owner.Id, kinds,
            async counts =>
            {
                total = counts.Values.Sum();
                await output.BeginAsync(
                    new(ArchiveHeader.Name, ArchiveHeader.Current, owner.Name, TimeProvider.System.GetUtcNow(), counts.Where(each => each.Value > 0).ToDictionary()), ct);
            },
            async row =>
            {
                await output.AddAsync(row, ct);
                report(++rows, total);
            },
            ct);
        await output.FinishAsync(ct);
        return rows;
    }

    /// <summary>By name; the plural means the same, and metrics come with their versions.</summary>
    static IReadOnlyCollection<ArchiveKind> Kinds(IReadOnlyList<ArchiveKind> all, string[] wanted)
    {
        if (wanted.Length == 0)
            return all;
        var names = new HashSet<string>();
        foreach (var word in wanted)
        {
            var name = all.FirstOrDefault(kind => kind.Name == word || kind.Name + "s" == word || (kind.Name.EndsWith('y') && kind.Name[..^1] + "ies" == word))?.Name
                ?? throw new UsageException($"--what knows no `{word}`: use {string.Join(", ", all.Select(kind => kind.Name))}.");
            names.UnionWith(name switch
            {
                "metric" => ["metric", "metric_version"],
                "dataset" => ["dataset", "dataset_version", "dataset_item"],
                _ => new[] { name },
            });
        }
        return [.. all.Where(kind => names.Contains(kind.Name))];
    }
}
