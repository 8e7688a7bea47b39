using System.CommandLine;
using Flywheel.Core;
using Flywheel.Core.Projects;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Traces;
using Flywheel.Server.Cli.Archives;
using Flywheel.Engine.Metrics;
using Flywheel.Server.Files;

namespace Flywheel.Server.Cli;

static class ImportCommand
{
    public static Command Create()
    {
        var db = CommonOptions.Db();
        var project = CommonOptions.Project();
        var json = CommonOptions.Json();
        var file = new Argument<string>("file") { Description = "What `flywheel export` wrote, a file or a folder; or JSONL, CSV or Parquet with spans as POST /api/v1/spans takes them" };
        var author = new Option<string>("--author") { Description = "Who does it, for the audit", DefaultValueFactory = _ => "cli" };
        var command = new Command("import", "Read an export, or spans from a file; importing twice changes nothing") { file, author, db, project, json };
        command.SetAction(async (parsed, ct) =>
        {
            var path = parsed.GetValue(file)!;
            if (!File.Exists(path) && !Directory.Exists(path))
                throw new FlywheelException($"There is no file {path}.");
            await using var store = await CommonOptions.OpenAsync(parsed.GetValue(db), ct);
            var owner = await store.Projects.EnsureAsync(parsed.GetValue(project)!, TimeProvider.System.GetUtcNow(), ct);
            // Imported metrics run in the server, so they may name what the server knows.
            await using var engine = CommandEngine.Over(store, parsed.GetValue(db));
            var rules = engine.Get<MetricRules>();
            var intake = engine.Get<SpanIntake>();
            var done = ArchiveInput.Header(path) is { } header
                ? await ArchiveAsync(store, intake, owner, rules, path, header, parsed.GetValue(author)!, parsed.GetValue(json), ct)
                : await RowsAsync(store, owner, engine, path, parsed.GetValue(json), ct);
            if (parsed.GetValue(json))
                Output.Json(done);
            else
                Show(path, done);
            return done.Rejected.Count == 0 && done.Missing.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    static async Task<ImportView> ArchiveAsync(
        IFlywheelStore store, SpanIntake intake, Project owner, MetricRules rules, string path, ArchiveHeader header, string author, bool quiet,
        CancellationToken ct)
    {
        var importer = new ArchiveImporter(store, intake, owner.Id, rules);
        await Output.ProgressAsync("Importing", quiet, async report =>
        {
            long done = 0, total = header.Rows.Values.Sum();
            foreach (var (line, type, row) in ArchiveInput.Read(path, store.Archives.Kinds))
            {
                await importer.AddAsync(line, type, row, Directory.Exists(path), ct);
                report(++done, total);
            }
            await importer.FlushAsync(ct);
        });
        if (importer.Imported.Count > 0)
            await store.Archives.NoteAsync(owner.Id, author, Path.GetFileName(path.TrimEnd('/', '\\')), importer.Imported, TimeProvider.System.GetUtcNow(), ct);
        return new(
            importer.Imported, importer.Read, importer.Rejected, importer.ForeignAudit,
            header.Rows.Where(each => importer.Read.GetValueOrDefault(each.Key) < each.Value).ToDictionary(each => each.Key, each => each.Value - importer.Read.GetValueOrDefault(each.Key)));
    }

    static async Task<ImportView> RowsAsync(IFlywheelStore store, Project owner, CommandEngine engine, string path, bool quiet, CancellationToken ct)
    {
        var importer = new RecordImporter(
            store, engine.Get<SpanIntake>(), CommandCaller.Of(owner).For("import"), engine.Get<MetricRules>(), engine.Get<LabelService>(), engine.Get<CorrectionService>(),
            engine.Get<FeedbackService>(), TimeProvider.System);
        await Output.ProgressAsync("Importing", quiet, async report =>
        {
            long done = 0, total = new FileInfo(path).Length;
            foreach (var (line, row) in RowFile.Read(path))
            {
                await importer.AddAsync(line, row, ct);
                report(done += row.GetRawText().Length, total);
            }
            await importer.FlushAsync(ct);
        });
        return new(importer.Imported, null, importer.Rejected, 0, new Dictionary<string, long>());
    }

    static void Show(string path, ImportView done)
    {
        Console.WriteLine(done.Imported.Count == 0
            ? done.Read is null ? "Nothing was imported." : "Nothing was imported: all of it is there already."
            : "Imported " + string.Join(", ", done.Imported.Select(each => $"{each.Value:N0} {each.Key}")) + ".");
        if (done.ForeignAudit > 0)
            Console.WriteLine($"{done.ForeignAudit:N0} entries of the archive's audit stay outside: the project has an audit of its own, and its chain cannot take in another.");
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
    IReadOnlyDictionary<string, long> Imported, IReadOnlyDictionary<string, long>? Read, IReadOnlyList<ImportRejection> Rejected, long ForeignAudit,
    IReadOnlyDictionary<string, long> Missing);
