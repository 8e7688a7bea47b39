using Flywheel.Core;

namespace Flywheel.Engine.Archives;

/// <summary>The result of importing records.</summary>
/// <param name="Imported">Rows taken in, by kind in the plural; repeats count too.</param>
public sealed record RecordImportResult(IReadOnlyDictionary<string, long> Imported, IReadOnlyList<RowRejection> Rejected);
