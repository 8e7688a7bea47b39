using System.CommandLine;
using System.Globalization;
using Flywheel.Core.Projects;
using Flywheel.Server.Hosting;
using Flywheel.Storage.Sqlite;

namespace Flywheel.Server.Cli;

/// <summary>A copy of the database while it is in use, checked before it is called one.</summary>
static class BackupCommand
{
    const string Scheme = "sqlite:";

    sealed record View(
        string Path, long Bytes, string Migration, IReadOnlyList<string> Projects, IReadOnlyDictionary<string, long> Rows, bool Good,
        IReadOnlyList<string> Problems);

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "File for the backup; an existing file is not overwritten" };
        var verify = new Option<bool>("--verify") { Description = "Make no backup; check the backup FILE" };
        var (db, json) = (CommonOptions.Db(), CommonOptions.Json());
        var command = new Command(
            "backup", "Copy a SQLite database while it is in use, and check the copy. To restore, put the file in the place of the "
                + "database, or set --db to it")
        {
            file, verify, db, json,
        };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (parsed.GetValue(verify))
            {
                var report = await Output.ProgressAsync<BackupReport>(
                    "Reading", parsed.GetValue(json), _ => SqliteBackup.VerifyAsync(path, ct));
                Show(report, parsed.GetValue(json), made: false);
                return report.IsGood ? ExitCodes.Ok : ExitCodes.Failed;
            }
            var url = parsed.GetValue(db) ?? Settings.Server().Db;
            if (!url.StartsWith(Scheme, StringComparison.Ordinal))
                throw new UsageException(
                    "`flywheel backup` copies SQLite databases. Use PostgreSQL's own: `pg_dump --format=custom --file=FILE DATABASE`, "
                        + "restored by `pg_restore`; or `flywheel export` for one project in a form that either database reads.");
            CommonOptions.MustExist(url);
            var made = await Output.ProgressAsync(
                "Copying", parsed.GetValue(json), report => SqliteBackup.CreateAsync(url[Scheme.Length..], path, report, ct));
            Show(made, parsed.GetValue(json), made: true);
            return ExitCodes.Ok;
        });
        return command;
    }

    static void Show(BackupReport report, bool json, bool made)
    {
        if (json)
        {
            Output.Json(new View(
                report.Path, report.Bytes, report.Migration, report.Projects, report.Rows, report.IsGood, report.Problems));
            return;
        }
        foreach (var problem in report.Problems)
            Console.WriteLine($"NOT GOOD  {problem}");
        var rows = string.Join(
            ", ", new[] { "span", "verdict", "label", "correction", "demonstration", "feedback", "dataset_item", "audit" }
            .Where(report.Rows.ContainsKey)
            .Select(table => string.Create(CultureInfo.InvariantCulture, $"{report.Rows[table]:N0} {table}")));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{(made ? "Backed up to " : report.IsGood ? "Good: " : "")}{report.Path}: {report.Bytes / 1e6:0.0} MB, "
                + $"{report.Projects.Count} project{(report.Projects.Count == 1 ? "" : "s")}, schema {report.Migration}; {rows}."));
        if (report.IsGood)
            Console.WriteLine("Pages, keys, counts and the audit's chains were read and fit.");
    }
}
