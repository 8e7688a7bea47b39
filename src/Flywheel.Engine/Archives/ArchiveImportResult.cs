using Flywheel.Core;

namespace Flywheel.Engine.Archives;

/// <summary>The result of importing an archive.</summary>
/// <param name="Imported">Rows that were not there before, by kind.</param>
/// <param name="Read">Rows of the archive, by kind.</param>
/// <param name="Rejected">Rows that were not taken in, at most 1,000 of them.</param>
/// <param name="ForeignAudit">Entries of the archive's audit that stayed outside, because the project has one of its own.</param>
/// <param name="Missing">Rows that the header counts and the archive lacks, by kind: it was cut short.</param>
public sealed record ArchiveImportResult(
    IReadOnlyDictionary<string, long> Imported, IReadOnlyDictionary<string, long> Read, IReadOnlyList<RowRejection> Rejected,
    long ForeignAudit,
    IReadOnlyDictionary<string, long> Missing);
