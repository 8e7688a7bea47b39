using System.CommandLine;
using System.Text.Json;

namespace Flywheel.Server.Cli;

static class ExportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var outFile = new Option<string?>("--out") { Description = "File to write (default: stdout)" };
        var what = new Option<string[]>("--what")
        {
            Description = $"Kinds of rows: {string.Join(", ", Records.Kinds)} (default: all)",
            AllowMultipleArgumentsPerToken = true,
        };
        var command = new Command("export", "Write a project as JSONL, one typed row a line; `flywheel import` reads it back") { db, project, what, outFile };
        command.SetAction(async (parsed, ct) =>
        {
            var kinds = parsed.GetValue(what) is { Length: > 0 } chosen ? chosen : [.. Records.Kinds];
            foreach (var kind in kinds)
                if (!Records.Kinds.Contains(kind))
                    throw new UsageException($"--what knows no `{kind}`: use {string.Join(", ", Records.Kinds)}.");
            await using var store = await CommonOptions.OpenExistingAsync(parsed.GetValue(db), ct);
            var owner = await CommonOptions.ProjectAsync(store, parsed.GetValue(project)!, ct);
            var path = parsed.GetValue(outFile);
            // Written beside and moved into place: a file that is there is whole.
            var temporary = path is null ? null : path + ".part";
            long rows = 0;
            await using (var writer = temporary is null ? Console.Out : new StreamWriter(temporary))
            {
                await Output.ProgressAsync("Exporting", path is null, async report =>
                {
                    var total = await store.Spans.CountAsync(owner.Id, ct);
                    await foreach (var row in Records.ReadAsync(store, owner.Id, kinds, ct))
                    {
                        await writer.WriteLineAsync(JsonSerializer.Serialize(row, Output.Lines));
                        report(Math.Min(++rows, total), total);
                    }
                });
                await writer.FlushAsync(ct);
            }
            if (path is not null)
            {
                File.Move(temporary!, path, overwrite: true);
                await Console.Error.WriteLineAsync($"{rows:N0} rows written to {path}.");
            }
            return Cli.Ok;
        });
        return command;
    }
}
