using System.CommandLine;
using Flywheel.Server.Hosting;
using Flywheel.Storage;

namespace Flywheel.Server.Cli;

static class MigrateCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var json = CommonOptions.Json();
        var command = new Command("migrate", "Apply the migrations of the schema; other commands apply them too") { db, json };
        command.SetAction(async (parsed, ct) =>
        {
            await using var store = await FlywheelStore.OpenAsync(parsed.GetValue(db) ?? Settings.Server().Db, null, ct);
            var applied = await store.MigrateAsync(ct);
            if (parsed.GetValue(json))
                Output.Json(new { database = store.Description, applied });
            else
                Console.WriteLine(applied.Count == 0
                    ? $"{store.Description} is up to date."
                    : $"{store.Description}: applied {string.Join(", ", applied)}.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
