using System.CommandLine;
using Flywheel.Core;
using Flywheel.Core.Archives;
using Flywheel.Core.Projects;
using Flywheel.Engine.Archives;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

static class ImportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var file = new Argument<string>(
            "file") { Description =
                "File or folder of `flywheel export`; or spans as POST /api/v1/spans takes them, in JSONL, CSV or Parquet" };
        var author = new Option<string>(
            "--author") { Description = "Name of the person who acts, for the audit", DefaultValueFactory = _ => "cli" };
        var command = new Command(
            "import", "Import an export, or spans from a file; a second import has no effect") { file, author, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path) && !Directory.Exists(path))
                throw new FlywheelException($"There is no file {path}.");
            await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            var owner = await store.Projects.EnsureAsync(parsed.GetValue(project)!, TimeProvider.System.GetUtcNow(), ct);
            // Imported metrics run in the server, so they may name what the server knows.
            await using var engine = CommandEngine.Over(store, parsed.GetValue(db));
            var done = ArchiveInput.Header(path) is { } header
                ? await ArchiveAsync(engine, CommandCaller.Of(owner).For(parsed.GetValue(author)), path, header, parsed.GetValue(json), ct)
                : await RowsAsync(engine, CommandCaller.Of(owner).For("import"), path, parsed.GetValue(json), ct);
            if (parsed.GetValue(json))
                Output.Json(done);
            else
                Show(path, done);
            return done.Rejected.Count == 0 && done.Missing.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    static async Task<ImportView> ArchiveAsync(
        CommandEngine engine, Caller caller, string path, ArchiveHeader header, bool quiet, CancellationToken ct)
    {
        var kinds = engine.Get<IArchiveStore>().Kinds;
        var request = new ArchiveImportRequest(
            Path.GetFileName(path.TrimEnd('/', '\\')), header, ArchiveInput.Read(path, kinds), Directory.Exists(path));
        return ImportView.Of(await Output.ProgressAsync(
            "Importing", quiet, report => engine.Get<ArchiveImportService>().ImportAsync(caller, request, report, ct)));
    }

    /// <summary>Progress is by characters: the number of rows is not known.</summary>
    static async Task<ImportView> RowsAsync(CommandEngine engine, Caller caller, string path, bool quiet, CancellationToken ct)
    {
        long done = 0, total = new FileInfo(path).Length;
        return ImportView.Of(await Output.ProgressAsync("Importing", quiet, report => engine.Get<RecordImportService>().ImportAsync(
            caller, RowFile.Read(path), row => report(done += row.GetRawText().Length, total), ct)));
    }

    static void Show(string path, ImportView done)
    {
        Console.WriteLine(done.Imported.Count == 0
            ? done.Read is null ? "Nothing was imported." : "Nothing was imported: all of it is there already."
            : "Imported " + string.Join(", ", done.Imported.Select(each => $"{each.Value:N0} {each.Key}")) + ".");
        if (done.ForeignAudit > 0)
            Console.WriteLine($"{done.ForeignAudit:N0} entries of the archive's audit stay outside: the project has an audit of its own, "
                + "and its chain cannot take in another.");
        foreach (var rejection in done.Rejected.Take(20))
            Console.Error.WriteLine($"{path}, line {rejection.Line}: {rejection.Message}");
        if (done.Rejected.Count > 20)
            Console.Error.WriteLine($"... and {done.Rejected.Count - 20:N0} more rows were refused.");
        foreach (var (kind, missing) in done.Missing)
            Console.Error.WriteLine($"{path} was cut short: {missing:N0} rows of {kind} are missing.");
    }
}

/// <param name="Imported">Rows that were not there before, by kind.</param>
/// <param name="Read">Rows of the archive, by kind; null for a file of spans and other rows.</param>
/// <param name="ForeignAudit">Entries of the archive's audit that stay outside.</param>
/// <param name="Missing">Rows that the archive should have and has not.</param>
sealed record ImportView(
    IReadOnlyDictionary<string, long> Imported, IReadOnlyDictionary<string, long>? Read, IReadOnlyList<ImportRejection> Rejected,
    long ForeignAudit,
    IReadOnlyDictionary<string, long> Missing)
{
    public static ImportView Of(ArchiveImportResult it) => new(
        it.Imported, it.Read, [.. it.Rejected.Select(each => new ImportRejection(each.Row, each.Message))], it.ForeignAudit, it.Missing);

    public static ImportView Of(RecordImportResult it) => new(
        it.Imported, null, [.. it.Rejected.Select(each => new ImportRejection(each.Row, each.Message))], 0, new Dictionary<string, long>());
}

/// <param name="Line">Line of the file, or row of a Parquet file, from 1.</param>
sealed record ImportRejection(int Line, string Message);
