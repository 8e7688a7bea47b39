using System.Text.Json;
using Flywheel.Core.Metrics;
using Flywheel.Core.Projects;
using Flywheel.Core.Retrieval;
using Flywheel.Engine.Labeling;
using Flywheel.Engine.Metrics;
using Flywheel.Engine.Traces;

namespace Flywheel.Engine.Archives;

/// <summary>Imports records that other programs wrote: spans, metrics, labels, corrections, feedback and demonstrations.</summary>
/// <remarks>They pass the checks of every other way in, so a label is blind only if nobody was shown a suggestion for its item.</remarks>
public sealed class RecordImportService(
    IMetricStore metrics, IDemonstrationStore demonstrations, SpanIntake intake, MetricRules rules, LabelService labels,
    CorrectionService corrections,
    FeedbackService feedback, TimeProvider clock)
{
    /// <summary>Takes the rows in, durably. A row that cannot be right is named and the rest continues.</summary>
    /// <param name="caller">Author of rows that name none.</param>
    /// <param name="rows">With their lines; read once.</param>
    /// <param name="read">Called with each row after it was read.</param>
    public async Task<RecordImportResult> ImportAsync(
        Caller caller, IEnumerable<(int Line, JsonElement Row)> rows, Action<JsonElement> read, CancellationToken ct)
    {
        var importer = new RecordImporter(caller, metrics, demonstrations, intake, rules, labels, corrections, feedback, clock);
        foreach (var (line, row) in rows)
        {
            await importer.AddAsync(line, row, ct);
            read(row);
        }
        await importer.FlushAsync(ct);
        return new(importer.Imported, importer.Rejected);
    }
}
