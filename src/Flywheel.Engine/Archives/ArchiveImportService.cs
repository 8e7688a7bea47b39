using Flywheel.Core.Archives;
using Flywheel.Core.Projects;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Archives;

/// <summary>Imports archives of projects, which keep what they say: ids, times, authors and modes of labels.</summary>
public sealed class ArchiveImportService(IArchiveStore archives, SpanIntake intake, MetricRules rules, TimeProvider clock)
{
    /// <summary>
    /// Takes the rows in, durably; a second time changes nothing. A row that cannot be taken in is named and the rest continues.
    /// </summary>
    /// <param name="report">Called with the number of rows read, and how many there are.</param>
    public async Task<ArchiveImportResult> ImportAsync(
        Caller caller, ArchiveImportRequest request, Action<long, long> report, CancellationToken ct)
    {
        var importer = new ArchiveImporter(archives, intake, caller.Project, rules);
        long done = 0, total = request.Header.Rows.Values.Sum();
        foreach (var (line, type, row) in request.Rows)
        {
            await importer.AddAsync(line, type, row, request.JsonAsText, ct);
            report(++done, total);
        }
        await importer.FlushAsync(ct);
        if (importer.Imported.Count > 0)
            await archives.NoteAsync(caller.Project, caller.Actor, request.Source, importer.Imported, clock.GetUtcNow(), ct);
        return new(
            importer.Imported, importer.Read, importer.Rejected, importer.ForeignAudit,
            request.Header.Rows.Where(each => Missing(each.Key, each.Value) > 0)
                .ToDictionary(each => each.Key, each => Missing(each.Key, each.Value)));

        long Missing(string kind, long rows) => rows - importer.Read.GetValueOrDefault(kind);
    }
}
